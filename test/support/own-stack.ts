import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { sampleFiles } from '../../adapters/demo/sample.ts'
import { readServerFile } from '../../cli/supervisor/server-file.ts'
import { type Stack, startStack } from '../../cli/supervisor/stack.ts'
import { loadConfig, processEnv } from '../../config/config.ts'
import { distDir, type HomePaths, homePaths, shortSocketDir } from '../../config/home.ts'
import { freePort } from '../../config/ports.ts'
import { connect, type Database } from '../../db/connect.ts'
import { isPassing } from '../../domain/passing.ts'
import { makeRepository } from './repository.ts'
import { testPort } from './test-port.ts'
import { until } from './until.ts'

/** All of Dispatch, supervised as by `dispatch start`, in a temporary home of its own. */
export interface OwnStack {
  folder: string
  dist: string
  home: HomePaths
  stack: Stack
  database: Database
  /** What the supervisor said, oldest first. */
  said: string[]
  call: Call
  ask: Ask
  insist: Insist
  /** As `makeSampleRepository`. */
  repository(name: string): Repository
  close(options?: { keep?: boolean }): Promise<void>
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into any reply
export type Answer = { status: number; body: any }
export type Call = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>

/** Asks Postgres; undefined while it is away. */
export type Ask = <T>(query: (knex: Database['knex']) => Promise<T>) => Promise<T | undefined>
/** Calls again for as long as nobody answers or the answer is 5xx; at most `ms`. */
export type Insist = (method: string, path: string, body?: unknown, ms?: number) => Promise<Answer>

export interface Repository {
  path: string
  /** The commit that `main` was on. */
  start: string
  edited: { file: string; content: string }
  git(...args: string[]): string
}

const ANSWER_MS = 15_000

/**
 * `dist`: the folder of the built program, when it is not the package's own. `ui`: serve the pages and Temporal's. `env`: goes into
 * the environment of its processes; `configToml` is its home's config.toml.
 */
export async function startOwnStack({
  dist = distDir(),
  ui = false,
  env: more = {},
  configToml,
}: {
  dist?: string
  ui?: boolean
  env?: Record<string, string>
  configToml?: string
} = {}): Promise<OwnStack> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dispatch-own-')))
  const home = homePaths(join(folder, 'home'))
  if (configToml !== undefined) {
    mkdirSync(home.root, { mode: 0o700 })
    writeFileSync(home.configFile, configToml, { mode: 0o600 })
  }
  const { PATH = '', HOME = '', XDG_CACHE_HOME } = processEnv()
  const env = { PATH, HOME, ...(XDG_CACHE_HOME ? { XDG_CACHE_HOME } : {}), ...more }
  const port = await testPort()
  const temporalPort = await freePort(port + 100)
  const said: string[] = []
  const stack = await startStack({
    config: loadConfig(env, { home: home.root, port, temporalPort }),
    ...{ env, log: pino({ level: 'silent' }), temporalUi: ui, ui },
    entries: { worker: join(dist, 'worker.js'), api: join(dist, 'api.js') },
    say: (line) => void said.push(`${new Date().toISOString()} ${line}`),
  })
  const database = connect(stack.databaseUrl, { max: 3 })
  const url = () => readServerFile(home.serverFile)?.url ?? stack.url
  const call: Call = (method, path, body, headers) =>
    request(url() + path, { method, body, ...(headers ? { headers } : {}) })
  return {
    ...{ folder, dist, home, stack, database, said, call },
    ask: asking(() => database),
    insist: insisting(call),
    repository: (name) => makeSampleRepository(join(folder, name)),
    async close({ keep = false } = {}) {
      await database.close()
      await stack.stop()
      if (keep) return
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
      rmSync(shortSocketDir(home.root), { recursive: true, force: true })
    },
  }
}

/** `database`: the one of now, which may be another after a restart. */
export const asking =
  (database: () => Database): Ask =>
  (query) =>
    query(database().knex).catch((error: Error) => {
      if (isPassing(error)) return undefined
      throw error
    })

export const insisting =
  (call: Call): Insist =>
  (method, path, body, ms = 60_000) =>
    until(
      async () => {
        const answer = await call(method, path, body).catch(() => undefined)
        return answer && answer.status < 500 ? answer : undefined
      },
      { ms, what: `an answer to ${method} ${path}` },
    )

/** One request as a client makes it. Rejects when nobody answers. */
export async function request(
  url: string,
  {
    method,
    body,
    headers = {},
  }: { method: string; body?: unknown; headers?: Record<string, string> },
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', 'x-dispatch': '1', ...headers },
    signal: AbortSignal.timeout(ANSWER_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const json = /json/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, body: json ? JSON.parse(text) : text }
}

/** A repository of the person with the sample program, on `main`, with an edit that is not committed. */
export function makeSampleRepository(path: string): Repository {
  makeRepository(path, sampleFiles())
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: path,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()
  const edited = {
    file: 'README.md',
    content: '# my own words\nnot committed, \tno newline at the end',
  }
  writeFileSync(join(path, edited.file), edited.content)
  return { path, git, edited, start: git('rev-parse', 'HEAD') }
}
