import { Bug, RefreshCw } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { ProblemError } from '../../../client/caller.ts'
import { useLive } from '../app/live.ts'
import { PartError } from '../lib/lazy-part.ts'
import { Button } from './button.tsx'
import { EmptyState, ErrorState } from './states.tsx'

/** In place of what could not be drawn. A part that could not be fetched comes when the server is back, by itself too. */
export function Fault({ error, reset }: { error: Error; reset: () => void }) {
  const { returns, newVersion } = useLive()
  const seen = useRef(returns)
  const retry = () => {
    if (error instanceof PartError) error.again()
    reset()
  }
  useEffect(() => {
    if (seen.current === returns || !(error instanceof PartError)) return
    seen.current = returns
    error.again()
    reset()
  }, [returns, error, reset])
  // only a server that answers says so: a page that is loaded again while there is none would be lost
  if (error instanceof PartError && newVersion !== undefined)
    return (
      <EmptyState
        icon={RefreshCw}
        title="This part of the page is another one now"
        detail="Dispatch was updated while the page was open. Loaded again, it goes on."
      >
        <Button onClick={() => window.location.reload()}>Reload</Button>
      </EmptyState>
    )
  if (error instanceof PartError || error instanceof ProblemError)
    return <ErrorState error={error} onRetry={retry} />
  return (
    <div role="alert">
      <EmptyState icon={Bug} title="This part of the page has a fault" detail={error.message}>
        <Button onClick={retry}>Try again</Button>
        <Button onClick={() => window.location.reload()}>Reload</Button>
      </EmptyState>
    </div>
  )
}
