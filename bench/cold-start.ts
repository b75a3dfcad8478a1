import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { pino } from 'pino'
import { startNodeService } from '../cli/supervisor/node-service.ts'
import { readServerFile } from '../cli/supervisor/server-file.ts'
import { loadConfig } from '../config/config.ts'
import { createHome, distDir, homePaths, sharedCache, shortSocketDir } from '../config/home.ts'
import { freePort } from '../config/ports.ts'
import { commandLine } from '../config/process-table.ts'
import { startPostgres } from '../db/postgres/start-postgres.ts'
import { connectTemporal } from '../temporal/connection.ts'
import { startDevServer } from '../temporal/dev-server.ts'
import { findTemporal } from '../temporal/find-temporal.ts'
import { prepareNamespace } from '../temporal/search-attributes.ts'
import { benchFolder, removeFolder } from './lib/bench-stack.ts'
import { closing } from './lib/cleanup.ts'
import { benchEnv } from './lib/env.ts'
import { memoryOf, treeOf } from './lib/memory.ts'
import { compare } from './lib/round-robin.ts'
import { type Bench, compared, type Row } from './lib/row.ts'
import { median, timed } from './lib/stats.ts'
import { within } from './lib/within.ts'

/** `dispatch start` to healthy, on a new home and on a used one, and what the running stack weighs while nothing happens. */
export const coldStart: Bench = {
  name: 'cold-start',
  async run({ quick }) {
    const rounds = quick ? 1 : 5
    const stack: Record<'cold' | 'warm', number[]> = { cold: [], warm: [] }
    const parts: Record<'cold' | 'warm', Parts[]> = { cold: [], warm: [] }
    const idle: Idle[] = []
    for (let round = 0; round < rounds; round += 1) {
      const folder = benchFolder()
      const remove = closing(async () => removeFolder(folder))
      for (const kind of ['cold', 'warm'] as const) {
        const last = round === rounds - 1 && kind === 'warm'
        stack[kind].push(
          await startToHealthy(folder, last ? (pids) => void idle.push(weigh(pids)) : undefined),
        )
      }
      await remove()
      const alone = benchFolder()
      const removeAlone = closing(async () => removeFolder(alone))
      for (const kind of ['cold', 'warm'] as const) parts[kind].push(await partsAlone(alone))
      await removeAlone()
    }
    return [
      startRow('cold', stack.cold, parts.cold),
      startRow('warm', stack.warm, parts.warm),
      ...idle.map(idleRow),
    ]
  },
}

type Parts = Record<'postgres' | 'temporal' | 'worker' | 'api', number>

function startRow(kind: 'cold' | 'warm', times: readonly number[], parts: readonly Parts[]): Row {
  const figures = compare(
    times,
    parts.map((part) => Math.max(...Object.values(part))),
  )
  const names = ['postgres', 'temporal', 'worker', 'api'] as const
  const each = names.map(
    (name) => `${name} ${median(parts.map((part) => part[name])).toFixed(0)} ms`,
  )
  return compared(
    `start.${kind}`,
    `\`dispatch start\` to healthy, ${kind === 'cold' ? 'new home' : 'used home'}`,
    figures,
    {
      floor: 'slowest part alone',
      ...{ aim: '<= 2 s', met: figures.subject <= 2000 },
      peers: kind === 'cold' ? '96 ms (Go) to 5.7 s' : '40 ms to 4.7 s',
      note: `alone: ${each.join(', ')}; Postgres and Temporal start at once, then worker and API at once`,
    },
  )
}

/** Milliseconds from the command to a `/ready` that says ok; `whileUp` sees the running processes before they are stopped. */
async function startToHealthy(folder: string, whileUp?: (pids: number[]) => void): Promise<number> {
  const home = homePaths(join(folder, 'home'))
  const base = 20_000 + Math.floor(Math.random() * 12_000) // below what the kernel takes for outgoing connections
  const args = [
    ...[join(distDir(), 'cli.cjs'), 'start', '--home', home.root, '--port', String(base)],
    ...['--temporal-port', String(base + 100)],
  ]
  const started = performance.now()
  const child = spawn(process.execPath, args, {
    env: benchEnv(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const end = closing(async () => {
    child.kill('SIGTERM')
    await exited
  })
  let output = ''
  const url = new Promise<string>((resolve, reject) => {
    const look = (data: Buffer) => {
      output += String(data)
      const found = /web UI\s+(http\S+)/.exec(output)?.[1]
      if (found) resolve(found)
    }
    child.stdout.on('data', look)
    child.stderr.on('data', look)
    void exited.then(() => reject(new Error(`dispatch start ended: ${output}`)))
  })
  await untilReady(await within(60_000, 'the start of the stack', url))
  const ms = performance.now() - started
  if (whileUp) {
    await new Promise((resolve) => setTimeout(resolve, 5_000)) // idle means: nothing has happened for a while
    const pids = Object.values(readServerFile(home.serverFile)?.processes ?? {}).map(
      ({ pid }) => pid,
    )
    whileUp(treeOf([child.pid ?? 0, ...pids]))
  }
  await end()
  return ms
}

async function untilReady(url: string): Promise<void> {
  const deadline = Date.now() + 30_000
  while (Date.now() < deadline) {
    const reply = await fetch(`${url}/ready`)
    if (reply.ok && ((await reply.json()) as { status: string }).status === 'ok') return
  }
  throw new Error(`${url}/ready did not become ok within 30 s`)
}

/** Each part by itself, one after another, on the same kind of home. */
async function partsAlone(folder: string): Promise<Parts> {
  const home = createHome(join(folder, 'home'))
  const { path, xdgCacheHome } = loadConfig(benchEnv(), { home: home.root })
  const log = pino({ level: 'silent' })
  const parts: Partial<Parts> = {}
  const take = async <T>(name: keyof Parts, start: () => Promise<T>): Promise<T> => {
    let started: T | undefined
    parts[name] = await timed(async () => {
      started = await start()
    })
    return started as T
  }
  const postgres = await take('postgres', () =>
    startPostgres({
      ...{ dir: home.postgres, socketDir: shortSocketDir(home.root), log, commandLine },
      logFile: join(home.logs, 'postgres.log'),
    }),
  )
  const endPostgres = closing(postgres.stop)
  const temporal = await take('temporal', async () => {
    const caches = [join(sharedCache(xdgCacheHome), 'temporal')]
    const binary = await findTemporal({ path, caches, downloads: [] })
    const logFile = join(home.logs, 'temporal.log')
    const say = (line: string) => log.warn(line)
    return startDevServer({ dir: home.temporal, binary, logFile, log, say })
  })
  const endTemporal = closing(temporal.stop)
  const connection = await connectTemporal({ address: temporal.address })
  await prepareNamespace(connection)
  await connection.close()
  const env = {
    ...benchEnv(),
    ...{ DISPATCH_HOME: home.root, DISPATCH_PORT: String(await freePort()), DISPATCH_UI: '0' },
    ...{ DATABASE_URL: postgres.url, TEMPORAL_ADDRESS: temporal.address },
  }
  for (const name of ['worker', 'api'] as const) {
    const entry = join(distDir(), `${name}.js`)
    const outFile = join(home.logs, `${name}.out`)
    const service = await take(name, () => startNodeService({ name, entry, env, outFile }))
    await service.stop()
  }
  await endTemporal()
  await endPostgres()
  return parts as Parts
}

interface Idle {
  pss: number
  processes: number
  largest: string
}

function weigh(pids: readonly number[]): Idle {
  const all = pids
    .map((pid) => ({ pss: memoryOf(pid).pss, name: nameOf(pid) }))
    .sort((a, b) => b.pss - a.pss)
  return {
    pss: all.reduce((sum, { pss }) => sum + pss, 0),
    processes: all.length,
    largest: all
      .slice(0, 7)
      .map(({ name, pss }) => `${name} ${(pss / 1e6).toFixed(0)}`)
      .join(', '),
  }
}

/** "worker" of `node dist/worker.js`, "postgres" of any of its processes. */
function nameOf(pid: number): string {
  const line = commandLine(pid) ?? ''
  const script = /([\w-]+)\.c?js(\s|$)/.exec(line)?.[1]
  if (script) return script === 'cli' ? 'supervisor' : script
  return /postgres/.test(line) ? 'postgres' : (/(\w+)(\s|$)/.exec(line)?.[1] ?? 'other')
}

const idleRow = ({ pss, processes, largest }: Idle): Row => ({
  ...{ id: 'memory.idle', what: `idle memory of the whole stack (PSS), ${processes} processes` },
  ...{ unit: 'MB', value: pss / 1e6, aim: '< 500 MB', met: pss < 500e6 },
  ...{ peers: '22 MB (Go, 1 process) to 760 MB (20)', note: `largest, in MB: ${largest}` },
})
