import { CloudOff, RefreshCw } from 'lucide-react'
import { type ReactNode, useEffect, useRef } from 'react'
import { Button } from '../../components/button.tsx'
import { useNow } from '../../lib/clock.ts'
import { formatClock } from '../../lib/format.ts'
import { socket, useLive } from '../live.ts'
import { toast } from '../toasts.ts'

/** A short interruption is not worth a word. */
const PATIENCE_MS = 1_500

/** Says when what is shown may be old, and when the server is another one than the page was made for. */
export function ConnectionBanner() {
  const { connection, newVersion, returns } = useLive()
  if (newVersion !== undefined)
    return (
      <Banner
        icon={<RefreshCw size={14} aria-hidden="true" />}
        tone="bg-accent-soft text-accent-fg"
      >
        Dispatch was updated to {newVersion}. Reload to use it.
        <Button size="sm" onClick={() => window.location.reload()}>
          Reload
        </Button>
      </Banner>
    )
  if (connection.state === 'lost') return <Lost key={returns} {...connection} />
  return null
}

function Lost({ since, retryAt }: { since: number; retryAt: number }) {
  const now = useNow()
  const shown = now - since > PATIENCE_MS
  const wasShown = useRef(false)
  wasShown.current ||= shown
  useEffect(
    () => () => {
      if (wasShown.current && useLive.getState().connection.state === 'live')
        toast('Connected again', { tone: 'ok', detail: 'What happened meanwhile is shown now.' })
    },
    [],
  )
  if (!shown) return null
  const seconds = Math.max(0, Math.ceil((retryAt - now) / 1000))
  return (
    <Banner icon={<CloudOff size={14} aria-hidden="true" />} tone="bg-warn-soft text-warn">
      <span>
        Connection lost. This is the state of {formatClock(since)};{' '}
        {/* read aloud each second, it would be all that is heard */}
        <span aria-hidden="true">
          {seconds > 0 ? `trying again in ${seconds}s.` : 'trying again…'}
        </span>
      </span>
      <Button size="sm" onClick={() => socket.retry()}>
        Retry now
      </Button>
    </Banner>
  )
}

function Banner(props: { icon: ReactNode; tone: string; children: ReactNode }) {
  return (
    <div
      role="status"
      className={`flex min-h-9 items-center gap-2 px-4 py-1 text-13 font-medium ${props.tone}`}
    >
      {props.icon}
      <div className="flex flex-1 flex-wrap items-center justify-between gap-2">
        {props.children}
      </div>
    </div>
  )
}
