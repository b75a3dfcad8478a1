import { Link } from '@tanstack/react-router'
import { Compass } from 'lucide-react'
import { buttonClass } from '../../components/button.tsx'
import { Fault } from '../../components/fault.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { EmptyState } from '../../components/states.tsx'

/** An address that means nothing. */
export function NotFound() {
  return (
    <>
      <PageHeader crumbs={[{ label: 'Not found' }]} />
      <EmptyState
        icon={Compass}
        title="There is nothing at this address"
        detail="The link may be old, or a letter of it is missing."
      >
        <Link to="/" className={buttonClass()}>
          Go to goals
        </Link>
      </EmptyState>
    </>
  )
}

/** A view that could not be drawn. */
export function RouteError({ error, reset }: { error: unknown; reset: () => void }) {
  return (
    <>
      <PageHeader crumbs={[{ label: 'Something broke' }]} />
      <Fault error={error as Error} reset={reset} />
    </>
  )
}
