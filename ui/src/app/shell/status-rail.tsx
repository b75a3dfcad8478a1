import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Cost, Tokens } from '../../components/figures.tsx'
import { Tooltip } from '../../components/tooltip.tsx'
import { plural } from '../../lib/format.ts'
import { useLive } from '../live.ts'
import { overviewQuery } from '../queries.ts'

/** The line at the bottom: connection and pool at its left, what today cost and the version at its right. */
export function StatusRail() {
  const { data } = useQuery(overviewQuery())
  return (
    <footer className="flex h-7 shrink-0 items-center gap-4 overflow-hidden px-3 text-12 whitespace-nowrap text-fg-3">
      <Connection />
      {data && (
        <>
          <Tooltip
            side="top"
            label={`${plural(data.pool.held, 'agent')} at work, ${data.pool.maxConcurrent} at most`}
          >
            <Link to="/agents" className="hover:text-fg">
              Agents {data.pool.held}/{data.pool.maxConcurrent}
            </Link>
          </Tooltip>
          {data.pool.waiting > 0 && (
            <Link to="/agents" className="hover:text-fg">
              {data.pool.waiting} in line
            </Link>
          )}
          {data.pool.paused && (
            <Link to="/agents" className="font-medium text-warn">
              Pool paused
            </Link>
          )}
          <span className="ml-auto flex items-center gap-3 max-md:hidden">
            <span>Today</span>
            <Tokens usage={data.usage} />
            <Cost usage={data.usage} />
          </span>
          <span className="max-md:ml-auto">v{data.version}</span>
        </>
      )}
    </footer>
  )
}

const LOOKS = {
  live: { dot: 'bg-ok', word: 'Live' },
  connecting: { dot: 'bg-fg-3', word: 'Connecting' },
  lost: { dot: 'bg-danger', word: 'Connection lost' },
} as const

function Connection() {
  const state = useLive(({ connection }) => connection.state)
  const { dot, word } = LOOKS[state]
  return (
    <span role="status" className="flex items-center gap-1.5">
      <span className={`size-1.5 rounded-full ${dot}`} aria-hidden="true" />
      {word}
    </span>
  )
}
