import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { distDir, packageRoot } from '../../config/home.ts'
import { type OwnStack, startOwnStack } from '../support/own-stack.ts'
import { processesAbout } from '../support/processes.ts'
import { type Cast, castClaude, DEMO } from './cast.ts'
import { measuredPart, withMeasured } from './report.ts'
import { type Outcome, runSchedule } from './run-schedule.ts'
import { describeSchedule, type Schedule, schedulesOf } from './schedule.ts'

const HELP = `npm run chaos -- [--agent demo|claude] [--seed N] [--count 60] [--lanes 2] [--only INDEX] [--report]
  Kills processes of Dispatch at points that the seed chooses and checks that nothing is lost, done twice or left over.
  --agent claude drives the real Claude Code with a scripted model. --only repeats one schedule of a seed; --report writes the figures into docs/reliability.md.`

/** So many goals share a home before it is replaced: enough to be quick, few enough that leftovers are noticed. */
const PER_STACK = 8

const say = (line: string) => void process.stdout.write(`${line}\n`)

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      agent: { type: 'string', default: 'demo' },
      seed: { type: 'string' },
      count: { type: 'string', default: '60' },
      lanes: { type: 'string', default: '2' },
      only: { type: 'string' },
      report: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    say(HELP)
    return 0
  }
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000))
  const [count, lanes] = [Number(values.count), Number(values.lanes)]
  const isNumber = (n: number) => Number.isSafeInteger(n) && n >= 0
  const agent = values.agent === 'demo' || values.agent === 'claude' ? values.agent : undefined
  if (![seed, count, lanes].every(isNumber) || lanes < 1 || !agent) {
    say(HELP)
    return 64
  }
  const all = schedulesOf(seed, Math.max(count, Number(values.only ?? 0) + 1))
  const chosen =
    values.only === undefined
      ? all.slice(0, count)
      : all.slice(Number(values.only), Number(values.only) + 1)
  say(`seed ${seed}, ${chosen.length} schedules, ${lanes} at a time`)
  const started = new Date()
  const queue = [...chosen]
  const outcomes: Outcome[] = []
  const folder = join(packageRoot(), '.dispatch', 'chaos', `seed-${seed}`)
  const dist = copyOfDist(folder)
  const cast = agent === 'claude' ? await castClaude(say) : DEMO
  await Promise.all(
    Array.from({ length: Math.min(lanes, queue.length) }, () =>
      lane({ queue, outcomes, dist, cast }),
    ),
  )
  await cast.end()
  rmSync(dist, { recursive: true, force: true })
  outcomes.sort((a, b) => a.schedule.index - b.schedule.index)
  const measured = measuredPart(outcomes, { agent: cast.title, seed, lanes, at: started })
  say(`\n${measured}`)
  writeFileSync(join(folder, 'outcomes.json'), JSON.stringify(outcomes, null, 2))
  if (values.report) {
    const page = join(packageRoot(), 'docs', 'reliability.md')
    writeFileSync(page, withMeasured(readFileSync(page, 'utf8'), measured))
  }
  return outcomes.every(({ broken }) => broken.length === 0) ? 0 : 1
}

/** One build for the whole run, whatever is built meanwhile. Inside the package, where its packages are found. */
function copyOfDist(folder: string): string {
  const copy = join(folder, 'dist')
  rmSync(copy, { recursive: true, force: true })
  cpSync(distDir(), copy, { recursive: true })
  return copy
}

interface Lane {
  cast: Cast
  queue: Schedule[]
  outcomes: Outcome[]
  dist: string
}

const open = new Set<OwnStack>()

/** Ctrl-C leaves nothing running. */
function closeOnSignal(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, async () => {
      say(`${signal}: stopping`)
      await Promise.allSettled([...open].map((at) => at.close()))
      process.exit(130)
    })
}

/** Works through the queue with stacks of its own. A stack in which something broke is kept to be looked at. */
async function lane({ queue, outcomes, dist, cast }: Lane): Promise<void> {
  while (queue.length > 0) {
    const at = await startOwnStack({ dist, env: cast.env })
    open.add(at)
    const { profile: name, stages } = cast
    await at.insist('POST', '/api/profiles', { name, stages }) // refused where it is there
    let broke = false
    for (let goals = 0; goals < PER_STACK && !broke; goals += 1) {
      const schedule = queue.shift()
      if (!schedule) break
      const outcome = await runSchedule(at, schedule, cast.profile)
      outcomes.push(outcome)
      broke = outcome.broken.length > 0
      tell(outcome, at)
    }
    await at.close({ keep: broke })
    open.delete(at)
    const left = processesAbout(at.folder)
    if (left.length === 0) continue
    say(`LEFT in ${at.folder}: ${left.join('; ')}`)
    outcomes.at(-1)?.broken.push(`processes are left after the stop: ${left.join('; ')}`)
  }
}

function tell(
  { schedule, broken, hit, recoveryMs, namedMs, totalMs }: Outcome,
  at: OwnStack,
): void {
  const seconds = (ms: number | undefined) =>
    ms === undefined ? '-' : `${(ms / 1000).toFixed(1)} s`
  const named = namedMs === undefined ? '' : `, named after ${seconds(namedMs)}`
  say(
    `${broken.length === 0 ? 'kept  ' : 'BROKEN'} ${schedule.index}: ${describeSchedule(schedule)} [${hit.join(', ')}] recovered in ${seconds(recoveryMs)}${named}, ${seconds(totalMs)} in all`,
  )
  for (const line of broken) say(`    ${line}`)
  if (broken.length > 0) {
    say(`    kept: ${at.folder}`)
    for (const line of at.said.slice(-12)) say(`    ${line}`)
  }
}

closeOnSignal()
process.exitCode = await main()
