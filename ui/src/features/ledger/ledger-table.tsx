import { Link } from '@tanstack/react-router'
import { TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { formatTokens, formatUsedTokens } from '../../../../contracts/figures.ts'
import type { LedgerGroup } from '../../../../contracts/ledger.ts'
import type { LedgerRow, LedgerUsage } from '../../../../contracts/schemas.ts'
import { STAGE_TITLES, type Stage } from '../../../../contracts/stages.ts'
import { Cost } from '../../components/figures.tsx'
import { Tooltip } from '../../components/tooltip.tsx'

export const GROUP_NAMES: Readonly<Record<LedgerGroup, string>> = {
  goal: 'Goal',
  task: 'Task',
  run: 'Run',
  project: 'Project',
  adapter: 'Agent',
  model: 'Model',
  stage: 'Stage',
  day: 'Day',
}

const TOKENS = [
  ['Input', 'input'],
  ['Output', 'output'],
  ['Cache read', 'cacheRead'],
  ['Cache write', 'cacheWrite'],
  ['Reasoning', 'reasoning'],
  ['Tokens', 'total'],
] as const

/** Every group with its sums, and the sum over all. Scrolls sideways by itself where it is too wide. */
export function LedgerTable(props: {
  by: LedgerGroup
  rows: readonly LedgerRow[]
  total: LedgerUsage
}) {
  const { by, rows, total } = props
  return (
    <section
      aria-label={`By ${GROUP_NAMES[by].toLowerCase()}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
      tabIndex={0}
      className="relative overflow-x-auto"
    >
      <table className="w-full min-w-[860px] text-12 [&_td]:h-9 [&_td]:px-3 [&_td]:whitespace-nowrap [&_th]:h-8 [&_th]:px-3 [&_th]:font-medium [&_th]:whitespace-nowrap [&_th:first-child]:pl-4 [&_:is(td,th):last-child]:pr-4 [&_thead_th]:text-fg-3 [&_tr]:border-b [&_tr]:border-line/60">
        <thead className="bg-sunken">
          <tr>
            <th scope="col" className="text-left">
              {GROUP_NAMES[by]}
            </th>
            {['Runs', ...TOKENS.map(([name]) => name), 'From cache', 'Cost'].map((name) => (
              <th key={name} scope="col" className="text-right">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.key} usage={row.usage}>
              <Name by={by} row={row} />
            </Row>
          ))}
        </tbody>
        <tfoot className="font-medium">
          <Row usage={total}>All</Row>
        </tfoot>
      </table>
    </section>
  )
}

function Row({ usage, children }: { usage: LedgerUsage; children: ReactNode }) {
  return (
    <tr className="hover:bg-hover">
      <th scope="row" className="max-w-80 truncate text-left">
        {children}
      </th>
      <td className="figure text-right">{usage.runs}</td>
      {TOKENS.map(([name, key]) => (
        <td
          key={name}
          className={key === 'total' ? 'figure text-right' : 'figure text-right text-fg-2'}
          title={key === 'total' ? formatUsedTokens(usage, true) : usage[key].toLocaleString()}
        >
          {key === 'total' ? formatUsedTokens(usage) : formatTokens(usage[key])}
        </td>
      ))}
      <td className="text-right">
        <CacheHits usage={usage} />
      </td>
      <td className="text-right">
        <Cost usage={usage} />
      </td>
    </tr>
  )
}

/** How much of the input came from the provider's cache; marked where it is little. */
export function CacheHits({ usage }: { usage: LedgerUsage }) {
  if (usage.cacheHitRatio === null) return <span className="text-fg-3">–</span>
  const text = `${Math.round(100 * usage.cacheHitRatio)}%`
  if (!usage.lowCache) return <span className="figure">{text}</span>
  return (
    <Tooltip label="Less than 30 % of the input came from the cache: the same words are paid for again and again.">
      <span className="figure inline-flex items-center gap-1 text-warn">
        <TriangleAlert size={12} aria-hidden="true" />
        {text}
        <span className="sr-only">, little</span>
      </span>
    </Tooltip>
  )
}

const LINK = 'rounded-sm hover:text-accent-fg'

function Name({ by, row: { key, label } }: { by: LedgerGroup; row: LedgerRow }) {
  const text = by === 'stage' ? STAGE_TITLES[key as Stage] : (label ?? key)
  const name = (
    <>
      {by !== 'project' && label !== null && <span className="mr-0.5 text-fg-3">{key} </span>}
      <bdi className="font-normal">{text}</bdi>
    </>
  )
  if (by === 'goal')
    return (
      <Link to="/goals/$id" params={{ id: key }} className={LINK}>
        {name}
      </Link>
    )
  if (by === 'run')
    return (
      <Link to="/agents/$id" params={{ id: key }} className={LINK}>
        {name}
      </Link>
    )
  if (by === 'task' && key.startsWith('T-'))
    return (
      <Link
        to="."
        search={(before: object) => ({ ...before, panel: key }) as never}
        className={LINK}
      >
        {name}
      </Link>
    )
  if (by === 'project')
    return (
      <Link to="/ledger" search={{ project: key }} className={LINK}>
        {name}
      </Link>
    )
  return by === 'task' ? <span className="font-normal">{label}</span> : name
}
