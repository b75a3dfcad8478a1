import { parseArgs } from 'node:util'
import { adapters } from './adapters.ts'
import { approve } from './approve.ts'
import { cli } from './cli.ts'
import { coldStart } from './cold-start.ts'
import { eventLatency } from './event-latency.ts'
import { firstEvent } from './first-event.ts'
import { goalOverhead } from './goal-overhead.ts'
import { intents } from './intent-accuracy.ts'
import { readBaseline, regressions, writeBaseline } from './lib/baseline.ts'
import { closeAll } from './lib/cleanup.ts'
import { scrubEnvironment } from './lib/env.ts'
import { printTable, writeReport } from './lib/report.ts'
import type { Bench, Row } from './lib/row.ts'
import { transcriptFrames } from './transcript-frames.ts'
import { ui } from './ui.ts'
import { worktree } from './worktree.ts'

/** The cheap ones first, so that a mistake shows soon. */
const BENCHES: readonly Bench[] = [
  intents,
  cli,
  worktree,
  goalOverhead,
  firstEvent,
  adapters,
  eventLatency,
  transcriptFrames,
  approve,
  coldStart,
  ui,
]

const USAGE = `npm run bench -- [--quick] [--only name[,name]] [--dry]
  --quick   fewer rounds, smaller sizes, under 90 s; fails where a ratio is 1.5 times that of bench/baseline.json
  --only    of ${BENCHES.map(({ name }) => name).join(', ')}
  --dry     measures everything but does not write docs/performance.md and bench/baseline.json`

/** Exit codes: 0, 1 a ratio got worse (only with --quick) or a benchmark broke, 64 usage. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      ...{ quick: { type: 'boolean', default: false }, dry: { type: 'boolean', default: false } },
      only: { type: 'string' },
    },
  })
  const names = values.only?.split(',')
  const chosen = BENCHES.filter(({ name }) => names?.includes(name) ?? true)
  if (names && chosen.length !== names.length) {
    console.error(USAGE)
    return 64
  }
  scrubEnvironment()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void closeAll().finally(() => process.exit(130)))
  const rows: Row[] = []
  const broken: string[] = []
  for (const bench of chosen) {
    const started = performance.now()
    try {
      const measured = await bench.run({ quick: values.quick, say: console.log })
      rows.push(...measured)
      console.log(`\n${bench.name} (${((performance.now() - started) / 1000).toFixed(0)} s)`)
      printTable(measured)
    } catch (error) {
      broken.push(bench.name)
      console.error(`${bench.name} broke: ${(error as Error).stack}`)
    }
  }
  const worse = values.quick ? regressions(rows, readBaseline()) : []
  for (const line of worse) console.error(`worse: ${line}`)
  if (!values.quick && !values.dry && broken.length === 0) writeReport(writeBaseline(rows))
  if (broken.length > 0) console.error(`broke: ${broken.join(', ')}`)
  return worse.length + broken.length > 0 ? 1 : 0
}

main().then(
  (code) => process.exit(code),
  (error: Error & { code?: string }) => {
    const isUsage = error.code?.startsWith('ERR_PARSE_ARGS')
    console.error(isUsage ? `${error.message}\n${USAGE}` : error.stack)
    process.exit(isUsage ? 64 : 1)
  },
)
