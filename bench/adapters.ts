import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { distDir } from '../config/home.ts'
import type { AgentEvent } from '../contracts/agent.ts'
import { readRunnerFile } from '../runner/run-files.ts'
import { createRunner, type RunnerClient } from '../runner/runner.ts'
import { ACP, CLAUDE, CODEX, type Driver, GEMINI } from '../test/agents/drivers.ts'
import type { Stage } from '../test/agents/play.ts'
import { type ModelServer, startModelServer } from '../test/model-server/model-server.ts'
import { type BareRun, bareAcp, bareClaude, bareCodex, bareGemini } from './lib/bare-agents.ts'
import { type MemoryWatch, watchMemory } from './lib/memory.ts'
import { compare } from './lib/round-robin.ts'
import { type Bench, compared, type Row } from './lib/row.ts'

/** One small piece of work: write a file, answer. */
const SCENARIO = 'write-file'

interface Sample {
  /** Milliseconds to the first thing that the agent itself says, and to the end. */
  first: number
  total: number
  /** Peak of the whole tree, in MB: its share of shared pages, and with those counted in each process. */
  pss: number
  rss: number
}

interface Contender {
  driver: Driver
  /** How the same program is used without us. */
  bare: (at: Stage) => BareRun
  floor: string
  isFirst(event: AgentEvent): boolean
}

/** The first session event of some is ours, before anything is started; the one with a model is the agent's. */
const namesModel = (event: AgentEvent) => event.type === 'session' && event.model !== undefined

const CONTENDERS: readonly Contender[] = [
  { driver: CLAUDE, bare: bareClaude, floor: 'claude -p', isFirst: namesModel },
  { driver: CODEX, bare: bareCodex, floor: 'codex exec', isFirst: namesModel },
  { driver: GEMINI, bare: bareGemini, floor: 'gemini -p', isFirst: namesModel },
  {
    driver: ACP,
    bare: bareAcp,
    floor: 'its bare protocol',
    isFirst: ({ type }) => type === 'session',
  },
]

/** What our runner and each adapter cost over the bare program: the same one, the same scripted model, in turns. */
export const adapters: Bench = {
  name: 'adapters',
  async run({ quick, say }) {
    const model = await startModelServer()
    const home = mkdtempSync(join(tmpdir(), 'dispatch-bench-adapters-'))
    const entry = { runner: join(distDir(), 'runner.cjs'), spawner: join(distDir(), 'spawner.cjs') }
    const runner = createRunner({ home, entry })
    const rows: Row[] = []
    try {
      for (const contender of CONTENDERS)
        rows.push(...(await measure(contender, { quick, say, model, home, runner })))
      return rows
    } finally {
      await runner.close()
      await model.close()
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    }
  },
}

interface Bed {
  quick: boolean
  say(line: string): void
  model: ModelServer
  home: string
  runner: RunnerClient
}

async function measure(
  contender: Contender,
  { quick, say, model, home, runner }: Bed,
): Promise<Row[]> {
  const { binary, env } = await contender.driver.install(say)
  const stage = () => {
    const at = contender.driver.stage(model, SCENARIO, { binary })
    Object.assign(at.spec.env, env)
    return at
  }
  const through: Sample[] = []
  const bare: Sample[] = []
  for (let round = 0; round <= (quick ? 2 : 7); round += 1) {
    const [ours, theirs] = [stage(), stage()]
    const one = await throughRunner(ours, { home, runner, isFirst: contender.isFirst })
    const other = await alone(contender.bare(theirs))
    for (const at of [ours, theirs]) at.remove()
    if (round === 0) continue // the first pays for cold caches
    through.push(one)
    bare.push(other)
  }
  return rowsOf(contender, through, bare)
}

function rowsOf({ driver, floor }: Contender, through: Sample[], bare: Sample[]): Row[] {
  const pair = (key: keyof Sample) =>
    compare(
      through.map((sample) => sample[key]),
      bare.map((sample) => sample[key]),
    )
  const id = `adapter.${driver.name}`
  const rss = pair('rss')
  const note = `Counted by RSS ${rss.subject.toFixed(0)} against ${rss.floor.toFixed(0)} MB. The difference is the runner, a Node process.`
  return [
    compared(`${id}.first`, `${driver.title} by our adapter: first event`, pair('first'), {
      floor,
    }),
    compared(`${id}.total`, `${driver.title}: a whole small run`, pair('total'), { floor }),
    {
      ...compared(`${id}.memory`, `${driver.title}: peak memory of the tree (PSS)`, pair('pss'), {
        floor,
        note,
      }),
      unit: 'MB',
    },
  ]
}

async function throughRunner(
  { spec }: Stage,
  { home, runner, isFirst }: Pick<Bed, 'home' | 'runner'> & Pick<Contender, 'isFirst'>,
): Promise<Sample> {
  const started = performance.now()
  await runner.start(spec)
  const host = await readRunnerFile(join(home, 'runs', spec.runId))
  if (!host) throw new Error('the run has no runner')
  const memory = watchMemory(host.pid)
  let first = 0
  for await (const batch of runner.attach(spec.runId, { afterSeq: 0 }))
    for (const event of batch) {
      if (first === 0 && isFirst(event)) first = performance.now() - started
      if (event.type === 'failed') throw new Error(`the run failed: ${event.detail}`)
    }
  return sampleOf(started, first, memory)
}

async function alone({ start }: BareRun): Promise<Sample> {
  const started = performance.now()
  const { pid, lines } = start()
  const memory = watchMemory(pid)
  let first = 0
  for await (const _ of lines) {
    if (first === 0) first = performance.now() - started
  }
  return sampleOf(started, first, memory)
}

function sampleOf(started: number, first: number, memory: MemoryWatch): Sample {
  const total = performance.now() - started
  const peak = memory.peak()
  if (first === 0) throw new Error('the agent ended before its first event')
  return { first, total, ...peak }
}
