import type { Query } from '../../contracts/api.ts'
import { formatTokens, formatUsedTokens } from '../../contracts/figures.ts'
import {
  LEDGER_GROUPS,
  LEDGER_ORDERS,
  type LedgerGroup,
  type LedgerOrder,
} from '../../contracts/ledger.ts'
import type { LedgerUsage } from '../../contracts/schemas.ts'
import { defineCommand, PAGE_OPTIONS } from '../command.ts'
import { EXIT, usageFailure } from '../failure.ts'
import { cost } from '../format.ts'
import type { Cell, Column } from '../io.ts'
import { pageQuery } from '../page.ts'
import { projectNamed } from '../target.ts'

export const ledger = defineCommand({
  name: 'ledger',
  summary: 'Show tokens and cost',
  prints: { replies: ['getLedger'] },
  args: {},
  options: {
    by: { type: 'string', help: 'one row for each (goal)', choices: LEDGER_GROUPS },
    order: {
      type: 'string',
      help: 'what the rows are ordered by (tokens); days: the newest first',
      choices: LEDGER_ORDERS,
    },
    from: { type: 'string', value: 'time', help: 'not before, such as 2026-01-31' },
    to: { type: 'string', value: 'time', help: 'before' },
    goal: { type: 'string', help: 'only of this goal' },
    project: { type: 'string', help: 'only of this project (id, name or path)' },
    ...PAGE_OPTIONS,
  },
  examples: [
    'dispatch ledger',
    'dispatch ledger --order cost',
    'dispatch ledger --by day --from 2026-01-01',
  ],
  async run({ by = 'goal', order, from, to, goal, project, limit, cursor }, deps, io) {
    const query: Query<'getLedger'> = {
      ...pageQuery({ limit, cursor }),
      by: by as LedgerGroup,
      ...(order ? { order: order as LedgerOrder } : {}),
      zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      ...(from ? { from: instant('--from', from) } : {}),
      ...(to ? { to: instant('--to', to) } : {}),
      ...(goal ? { goal } : {}),
      ...(project ? { project: projectNamed(project, deps.cwd) } : {}),
    }
    if (query.from && query.to && query.from >= query.to)
      throw usageFailure(
        `No time is between --from ${from} and --to ${to}.`,
        '--to is the end, and not in it: for one day write the next one there.',
      )
    const reply = await deps.call('getLedger', { query })
    if (io.json) {
      io.document(reply)
      return EXIT.ok
    }
    const count = (value: number) => (io.tty ? formatTokens(value) : String(value))
    const row = (key: string, usage: LedgerUsage, label: string | null): (Cell | string)[] => [
      key,
      String(usage.runs),
      count(usage.input),
      count(usage.output),
      count(usage.cacheRead),
      count(usage.cacheWrite),
      count(usage.reasoning),
      formatUsedTokens(usage, !io.tty),
      hits(usage),
      cost(usage),
      io.clean(label ?? ''),
    ]
    const rows = reply.items.map(({ key, usage, label }) => row(key, usage, label))
    if (rows.length === 0) io.note('No agent has run in this time.')
    else io.table(COLUMNS(by), io.tty ? [...rows, row('total', reply.total, null)] : rows)
    if (reply.next !== null) io.note(`There are more: add --cursor ${reply.next}`)
    for (const line of remarks(reply.total)) io.note(line)
    return EXIT.ok
  },
})

const COLUMNS = (by: string): Column[] => [
  { title: by.toUpperCase() },
  ...['RUNS', 'IN', 'OUT', 'READ', 'WRITE', 'REASON', 'TOKENS', 'CACHE', 'COST'].map((title) => ({
    title,
  })),
  { title: 'NAME', flexible: true },
]

/** Input from the cache, of all input; `!` where that is little. */
function hits({ cacheHitRatio, lowCache }: LedgerUsage): Cell {
  if (cacheHitRatio === null) return { text: '-' }
  const text = `${Math.round(cacheHitRatio * 100)}%`
  return lowCache ? { text: `${text}!`, style: 'yellow' } : { text }
}

function remarks(usage: LedgerUsage): string[] {
  const { estimatedUsd, unpricedRuns, lowCache, cacheSavedUsd } = usage
  const { uncountedRuns, estimatedTokens } = usage
  return [
    ...(estimatedUsd > 0 ? [`~ holds $${estimatedUsd.toFixed(2)} estimated from list prices`] : []),
    ...(unpricedRuns > 0 ? [`+ the cost of ${unpricedRuns} of the runs is unknown`] : []),
    ...(uncountedRuns > 0
      ? [
          `+ the tokens of ${uncountedRuns} of the runs are unknown${estimatedTokens > 0 ? `: about ${formatTokens(estimatedTokens)} more, estimated from what was said` : ''}`,
        ]
      : []),
    ...(lowCache ? ['! less than 30% of the input came from the cache'] : []),
    ...(cacheSavedUsd === null || cacheSavedUsd === 0
      ? []
      : [`The cache saved about $${cacheSavedUsd.toFixed(2)}`]),
  ]
}

/** A day begins at midnight here. */
function instant(what: string, text: string): string {
  const [, date, rest] = /^(\d{4}-\d{2}-\d{2})(.*)$/.exec(text) ?? []
  const time = new Date(date !== undefined && rest === '' ? `${date}T00:00` : text)
  if (Number.isNaN(time.getTime()) || (date !== undefined && !isDay(date)))
    throw usageFailure(
      `${what} cannot be "${text}": write a date or time such as 2026-01-31T12:00:00Z.`,
    )
  return time.toISOString()
}

/** The 31st of February is none: a Date takes it for one in March. */
function isDay(date: string): boolean {
  const time = new Date(`${date}T00:00:00Z`)
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(date)
}
