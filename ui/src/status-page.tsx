import type { ConnectionState } from '../../client/live-stream.ts'
import { GoalCard } from './goal-card.tsx'
import { PendingReviews } from './pending-reviews.tsx'
import { PoolLine } from './pool-line.tsx'
import { useStatus } from './use-status.ts'

const CONNECTION: Readonly<Record<ConnectionState, string>> = {
  connecting: 'Connecting…',
  live: 'Live',
  lost: 'Connection lost, trying again…',
}

/** What Dispatch does now, on one page. It shows; decisions are made with the command line. */
export function StatusPage() {
  const { status, connection, problem } = useStatus(window.location.origin)
  return (
    <>
      <header>
        <h1>Dispatch</h1>
        <p className={`connection ${connection}`} role="status">
          {CONNECTION[connection]}
        </p>
      </header>
      <main>
        {problem !== undefined && (
          <p className="problem" role="alert">
            The state could not be read: {problem}
          </p>
        )}
        {status === undefined ? (
          <p className="quiet">Reading…</p>
        ) : (
          <>
            <PendingReviews reviews={status.reviews} />
            <PoolLine pool={status.pool} />
            <section aria-labelledby="goals">
              <h2 id="goals">Goals</h2>
              {status.goals.length === 0 ? (
                <p className="quiet">
                  No goal yet. File one: <code>dispatch goal "what should exist"</code>
                </p>
              ) : (
                status.goals.map((goal) => <GoalCard key={goal.id} goal={goal} />)
              )}
            </section>
          </>
        )}
      </main>
    </>
  )
}
