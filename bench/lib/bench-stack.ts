import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { type Stack, startStack } from '../../cli/supervisor/stack.ts'
import { loadConfig } from '../../config/config.ts'
import { distDir, type HomePaths, homePaths, shortSocketDir } from '../../config/home.ts'
import { freePort } from '../../config/ports.ts'
import { connect, type Database } from '../../db/connect.ts'
import { closing } from './cleanup.ts'
import { benchEnv } from './env.ts'

/** All of Dispatch as `dispatch start` runs it, on a home of its own on a real disk. */
export interface BenchStack {
  folder: string
  home: HomePaths
  stack: Stack
  database: Database
  /** Calls the API; throws what it answered unless that is a success. */
  call<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T>
  pid(name: string): number
  close(): Promise<void>
}

/** `worker`: another program than the built worker, with `env` besides the usual. `ui`: the pages are served too. */
export async function startBenchStack(
  options: { worker?: string; env?: Record<string, string>; folder?: string; ui?: boolean } = {},
): Promise<BenchStack> {
  const folder = options.folder ?? benchFolder()
  const home = homePaths(join(folder, 'home'))
  const env = { ...benchEnv(), ...options.env }
  const base = 20_000 + Math.floor(Math.random() * 12_000) // below what the kernel takes for outgoing connections
  const [port, temporalPort] = [await freePort(base), await freePort(base + 100)]
  const stack = await startStack({
    config: loadConfig(benchEnv(), { home: home.root, port, temporalPort, logLevel: 'warn' }),
    ...{ env, log: pino({ level: 'silent' }), say: () => undefined, temporalUi: false },
    ui: options.ui ?? false,
    ...(options.worker
      ? { entries: { worker: options.worker, api: join(distDir(), 'api.js') } }
      : {}),
  })
  const database = connect(stack.databaseUrl, { max: 5 })
  return {
    ...{ folder, home, stack, database },
    call: (method, path, body) => callApi(stack.url + path, method, body),
    pid(name) {
      const state = stack.processes()[name]
      if (state?.status !== 'running') throw new Error(`${name} does not run`)
      return state.pid
    },
    close: closing(async () => {
      await database.close()
      await stack.stop()
      removeFolder(folder)
    }),
  }
}

export function benchFolder(): string {
  const parent = process.env['BENCH_DIR'] ?? tmpdir()
  mkdirSync(parent, { recursive: true })
  return realpathSync(mkdtempSync(join(parent, 'dispatch-bench-')))
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  rmSync(shortSocketDir(join(folder, 'home')), { recursive: true, force: true })
}

async function callApi<T>(url: string, method: string, body: unknown): Promise<T> {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', 'x-dispatch': '1' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${text}`)
  return JSON.parse(text) as T
}
