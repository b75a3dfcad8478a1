import type { Query } from '../../contracts/api.ts'
import type { UsageTotals } from '../../contracts/schemas.ts'
import { defineCommand } from '../command.ts'
import { EXIT, usageFailure } from '../failure.ts'
import { cost, tokens } from '../format.ts'

const GROUPS = ['goal', 'task', 'run', 'adapter', 'model', 'project', 'stage', 'day'] as const

export const ledger = defineCommand({
  name: 'ledger',
  summary: 'Show tokens and cost',
  args: {},
  options: {
    by: { type: 'string', help: 'one row for each (goal)', choices: GROUPS },
    from: { type: 'string', value: 'time', help: 'not before, such as 2026-01-31' },
    to: { type: 'string', value: 'time', help: 'before' },
  },
  examples: ['dispatch ledger', 'dispatch ledger --by day --from 2026-01-01'],
  async run({ by = 'goal', from, to }, deps, io) {
    const query: Query<'getLedger'> = {
      by: by as (typeof GROUPS)[number],
      ...(from ? { from: instant('--from', from) } : {}),
      ...(to ? { to: instant('--to', to) } : {}),
    }
    const reply = await deps.call('getLedger', { query })
    if (io.json) {
      io.document(reply)
      return EXIT.ok
    }
    const count = (value: number) => (io.tty ? tokens(value) : String(value))
    const row = (key: string, runs: string, usage: UsageTotals) => [
      key,
      runs,
      count(usage.input),
      count(usage.output),
      count(usage.cacheRead),
      count(usage.total),
      cost(usage),
    ]
    const rows = reply.rows.map((each) => row(each.key, String(each.runs), each.usage))
    io.table(
      [
        { title: by.toUpperCase(), flexible: true },
        { title: 'RUNS' },
        { title: 'IN' },
        { title: 'OUT' },
        { title: 'CACHE' },
        { title: 'TOKENS' },
        { title: 'COST' },
      ],
      io.tty ? [...rows, row('total', '', reply.total)] : rows,
    )
    return EXIT.ok
  },
})

function instant(what: string, text: string): string {
  const time = new Date(text)
  if (Number.isNaN(time.getTime()))
    throw usageFailure(
      `${what} cannot be "${text}": write a date or time such as 2026-01-31T12:00:00Z.`,
    )
  return time.toISOString()
}
