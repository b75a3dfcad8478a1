import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { distDir } from '../config/home.ts'
import type { RunSpec } from '../contracts/agent.ts'
import { readRunnerFile } from '../runner/run-files.ts'
import { createRunner, type RunnerClient } from '../runner/runner.ts'
import { installClaude } from '../test/agents/install.ts'
import { type ModelServer, startModelServer } from '../test/model-server/model-server.ts'
import { memoryOf, treeOf } from './lib/memory.ts'
import { compare } from './lib/round-robin.ts'
import { type Bench, compared } from './lib/row.ts'

/** One small piece of work: write a file, answer. */
const SCENARIO = 'write-file'
const PROMPT = 'Write the file.'
const TOOLS = 'Read,Grep,Glob,Edit,Write,NotebookEdit,Bash'
const SAMPLE_MS = 50

interface Sample {
  /** Milliseconds to the first thing that the agent itself says, and to the end. */
  first: number
  total: number
  /** Peak of the whole tree's proportional memory, in MB. */
  memory: number
}

/** What our runner and the Agent SDK cost over the bare CLI, the same binary against the same scripted model, in turns. */
export const claudeAdapter: Bench = {
  name: 'claude-adapter',
  async run({ quick, say }) {
    const claude = await installClaude(say)
    const model = await startModelServer()
    const home = mkdtempSync(join(tmpdir(), 'dispatch-bench-claude-'))
    const entry = {
      runner: join(distDir(), 'runner.js'),
      spawner: join(distDir(), 'spawner.js'),
    }
    const runner = createRunner({ home, entry })
    try {
      const through: Sample[] = []
      const bare: Sample[] = []
      for (let round = 0; round <= (quick ? 3 : 9); round += 1) {
        const one = await throughRunner(home, runner, makeSpec(home, claude, model))
        const other = await bareCli(makeSpec(home, claude, model))
        if (round === 0) continue // the first pays for cold caches
        through.push(one)
        bare.push(other)
      }
      return rows(through, bare)
    } finally {
      await runner.close()
      await model.close()
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    }
  },
}

function rows(through: Sample[], bare: Sample[]) {
  const pair = (key: keyof Sample) =>
    compare(
      through.map((sample) => sample[key]),
      bare.map((sample) => sample[key]),
    )
  const floor = 'the same claude by its bare CLI'
  return [
    compared('claude-adapter.first', 'Claude Code by runner and SDK: first event', pair('first'), {
      floor,
    }),
    compared('claude-adapter.total', 'The same: a whole small run', pair('total'), { floor }),
    {
      ...compared(
        'claude-adapter.memory',
        'The same: peak memory of the tree (PSS)',
        pair('memory'),
        { floor, note: 'The difference is the runner: a Node process with the Agent SDK loaded.' },
      ),
      unit: 'MB' as const,
    },
  ]
}

function makeSpec(home: string, binary: string, model: ModelServer): RunSpec {
  const runId = randomUUID()
  const cwd = join(home, 'work', runId)
  const tmp = join(home, 'tmp')
  for (const folder of [cwd, tmp]) mkdirSync(folder, { recursive: true })
  return {
    runId,
    adapter: 'claude',
    binary,
    cwd,
    prompt: PROMPT,
    access: 'write',
    newSessionId: randomUUID(),
    env: {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: home,
      TMPDIR: tmp,
      ANTHROPIC_BASE_URL: model.url(SCENARIO, runId),
      ANTHROPIC_API_KEY: 'sk-ant-not-a-key',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    },
    silenceSeconds: 60,
    leaseSeconds: 60,
  }
}

async function throughRunner(home: string, runner: RunnerClient, spec: RunSpec): Promise<Sample> {
  const started = performance.now()
  await runner.start(spec)
  const host = await readRunnerFile(join(home, 'runs', spec.runId))
  const memory = watchMemory(host?.pid ?? 0)
  let first = 0
  for await (const batch of runner.attach(spec.runId, { afterSeq: 0 }))
    for (const event of batch) {
      // the first session event is ours, before anything is started; the one with a model is Claude Code's
      if (first === 0 && event.type === 'session' && event.model !== undefined)
        first = performance.now() - started
      if (event.type === 'failed') throw new Error(`the run failed: ${event.detail}`)
    }
  return { first, total: performance.now() - started, memory: memory.peak() }
}

async function bareCli(spec: RunSpec): Promise<Sample> {
  const args = ['-p', spec.prompt, '--output-format', 'stream-json', '--verbose']
  // what the adapter asks for too: without these the CLI loads more, and would be compared with less
  const alike = ['--setting-sources', 'user', '--strict-mcp-config', '--tools', TOOLS]
  const more = ['--include-partial-messages', '--permission-mode', 'acceptEdits', ...alike]
  const started = performance.now()
  const child = spawn(spec.binary ?? '', [...args, ...more], {
    cwd: spec.cwd,
    env: spec.env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const memory = watchMemory(child.pid ?? 0)
  let first = 0
  for await (const _ of createInterface({ input: child.stdout })) {
    if (first === 0) first = performance.now() - started
  }
  return { first, total: performance.now() - started, memory: memory.peak() }
}

/** Samples the process and the tree below it. */
function watchMemory(root: number): { peak(): number } {
  let peak = 0
  const look = () => {
    peak = Math.max(peak, treeOf([root]).reduce((sum, pid) => sum + pssOf(pid), 0) / 2 ** 20)
  }
  const timer = setInterval(look, SAMPLE_MS)
  return {
    peak() {
      clearInterval(timer)
      return peak
    },
  }
}

function pssOf(pid: number): number {
  try {
    return memoryOf(pid).pss
  } catch {
    return 0 // it ended between the two looks
  }
}
