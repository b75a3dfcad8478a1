import { useMemo } from 'react'
import type { Usage } from '../../../../contracts/agent.ts'
import { formatUsedTokens } from '../../../../contracts/figures.ts'
import type { AgentRunDetail, UsageTotals } from '../../../../contracts/schemas.ts'
import { costNote } from '../../components/figures.tsx'
import { formatClock, formatUsageCost } from '../../lib/format.ts'
import { useEntries } from './use-entries.ts'

const PARTS = [
  {
    key: 'cacheRead',
    name: 'Cache read',
    note: 'read again from the provider’s cache',
    fill: 'bg-accent/30',
  },
  { key: 'cacheWrite', name: 'Cache write', note: 'put into it', fill: 'bg-accent/50' },
  { key: 'input', name: 'Input', note: 'new to the model', fill: 'bg-accent/75' },
  {
    key: 'output',
    name: 'Output',
    note: 'written by it, its reasoning included',
    fill: 'bg-accent',
  },
] as const

/** Tokens and cost of a run: where they went, and when. */
export function CostTab({ run }: { run: AgentRunDetail }) {
  const usage = useLatestUsage(run)
  const { total } = usage
  const read = usage.input + usage.cacheRead + usage.cacheWrite
  return (
    <div className="flex flex-col gap-5 px-4 py-4">
      <dl className="grid grid-cols-3 gap-3 [&_dd]:text-20 [&_dd]:font-medium [&_dt]:text-12 [&_dt]:text-fg-3">
        <div>
          <dt>Tokens</dt>
          <dd className="figure">{formatUsedTokens(usage)}</dd>
        </div>
        <div>
          <dt>Cost</dt>
          <dd className="figure">{formatUsageCost(usage, true)}</dd>
        </div>
        <div>
          <dt>From cache</dt>
          <dd className="figure">
            {read === 0 ? '–' : `${Math.round((100 * usage.cacheRead) / read)}%`}
          </dd>
        </div>
      </dl>
      {total > 0 && (
        <div className="flex h-2 gap-px overflow-hidden rounded-full bg-active" aria-hidden="true">
          {PARTS.map(({ key, fill }) => (
            <span key={key} className={fill} style={{ width: `${(100 * usage[key]) / total}%` }} />
          ))}
        </div>
      )}
      <table className="w-full text-12 [&_td]:py-1.5 [&_tr]:border-b [&_tr]:border-line/60">
        <caption className="sr-only">Tokens by kind</caption>
        <tbody>
          {[...PARTS].reverse().map(({ key, name, note, fill }) => (
            <tr key={key}>
              <th scope="row" className="font-normal">
                <span className="flex items-center gap-2 text-left">
                  <span className={`size-2 shrink-0 rounded-[2px] ${fill}`} aria-hidden="true" />
                  {name}
                  <span className="text-fg-3 max-md:hidden">{note}</span>
                </span>
              </th>
              <td className="figure text-right">{usage[key].toLocaleString()}</td>
            </tr>
          ))}
          {usage.reasoning > 0 && (
            <tr>
              <th scope="row" className="pl-4 text-left font-normal text-fg-3">
                of it reasoning
              </th>
              <td className="figure text-right text-fg-3">{usage.reasoning.toLocaleString()}</td>
            </tr>
          )}
        </tbody>
      </table>
      <TokensOverTime run={run} />
      {costNote(usage) && <p className="text-12 text-fg-3">{costNote(usage)}</p>}
    </div>
  )
}

interface Point {
  at: number
  total: number
}

function useLatestUsage(run: AgentRunDetail): UsageTotals {
  const { items } = useEntries(run.id, 'usage')
  const last = items.at(-1)
  if (!last) return run.usage
  const now = last.content['usage'] as Usage
  // it knows what came after this count
  if (totalOf(now) <= run.usage.total) return run.usage
  const cost = last.content['costUsd']
  return {
    ...run.usage,
    ...now,
    total: totalOf(now),
    // what is known so far: that there is more to come stands in the run
    ...(typeof cost === 'number' ? { knownUsd: cost } : {}),
  }
}

const totalOf = (usage: Partial<UsageTotals>) =>
  (usage.input ?? 0) + (usage.output ?? 0) + (usage.cacheRead ?? 0) + (usage.cacheWrite ?? 0)

const [WIDTH, HEIGHT] = [400, 72]

/** A line that grows with each report of the agent. */
function TokensOverTime({ run }: { run: AgentRunDetail }) {
  const { items } = useEntries(run.id, 'usage')
  const points = useMemo(
    () =>
      items.map(
        ({ at, content }): Point => ({
          at: Date.parse(at),
          total: totalOf(content['usage'] as Partial<UsageTotals>),
        }),
      ),
    [items],
  )
  const [first, last] = [points[0], points.at(-1)]
  if (!first || !last || points.length < 3 || last.total === 0) return null
  const span = Math.max(1, last.at - first.at)
  const place = ({ at, total }: Point) =>
    `${((at - first.at) / span) * WIDTH},${HEIGHT - (total / last.total) * (HEIGHT - 2)}`
  const line = points.map(place).join(' ')
  return (
    <figure className="flex flex-col gap-1">
      <figcaption className="text-12 text-fg-3">Tokens over time</figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        className="h-18 w-full border-b"
        role="img"
        aria-label={`From ${first.total.toLocaleString()} tokens at ${formatClock(first.at)} to ${last.total.toLocaleString()} at ${formatClock(last.at)}`}
      >
        <polygon points={`0,${HEIGHT} ${line} ${WIDTH},${HEIGHT}`} className="fill-accent/10" />
        <polyline
          points={line}
          className="fill-none stroke-accent"
          strokeWidth="1.5"
          vectorEffect="non-scaling-stroke"
        />
      </svg>
      <div className="flex justify-between text-11 text-fg-3">
        <span>{formatClock(first.at)}</span>
        <span>{formatClock(last.at)}</span>
      </div>
    </figure>
  )
}
