import type { PoolState } from '../../contracts/schemas.ts'

export function PoolLine({ pool }: { pool: PoolState }) {
  return (
    <section aria-labelledby="pool">
      <h2 id="pool">Pool</h2>
      <p>
        {pool.held.length} of {pool.maxConcurrent} runs at work, {pool.waiting.length} in line
        {pool.paused && (
          <strong className="status paused">
            {' '}
            · paused by {pool.pausedBy?.replace(/^person:/, '')}
          </strong>
        )}
      </p>
      {pool.waiting.length > 0 && (
        <ul className="quiet">
          {pool.waiting.map((run) => (
            <li key={run.id}>
              {run.position}. {run.goalShortId} {run.stage} ({run.adapter}): {run.reason}
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
