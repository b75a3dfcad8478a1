import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { connect, type Database } from '../../db/connect.ts'
import { seedProfiles } from '../../db/profiles.ts'
import { createGit } from '../../git/git.ts'
import { createTestDatabase } from '../../test/support/database.ts'
import { makeRepository } from '../../test/support/repository.ts'
import { type RunningApi, type StartApiOptions, startApi } from '../start-api.ts'
import { createReadDiff, createReadReviewDiff } from '../task-diff.ts'
import type { TemporalGateway } from '../temporal-gateway.ts'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  // biome-ignore lint/suspicious/noExplicitAny: tests look into any reply
  body: any
}

export interface TestApi {
  api: RunningApi
  database: Database
  /** A real repository with one commit on `main`. */
  repository: string
  /** One request with the headers of a program; `headers` replaces them. */
  call(method: string, path: string, body?: unknown, headers?: Headers): Promise<Answer>
  close(): Promise<void>
}

type Headers = Record<string, string | string[] | undefined>

/** A gateway to a Temporal that is away. */
export const away: TemporalGateway = {
  client: () => Promise.reject(new Error('no Temporal here')),
  ready: async () => false,
  close: async () => undefined,
}

/** A whole API on a database of its own, with real git; without Temporal unless `options` brings one. */
export async function startTestApi(options: Partial<StartApiOptions> = {}): Promise<TestApi> {
  const own = await createTestDatabase()
  const database = connect(own.url)
  await seedProfiles(database)
  const dir = mkdtempSync(join(tmpdir(), 'dispatch-api-'))
  const git = createGit({ home: join(dir, 'home') })
  const repository = makeRepository(join(dir, 'shop'), { 'README.md': 'shop\n' })
  const api = await startApi({
    ...{ database, temporal: away, host: '127.0.0.1', port: 0, log: pino({ level: 'silent' }) },
    ...{
      version: '0.0.0',
      userName: 'sam',
      taskQueue: 'core',
      workflowUrl: () => null,
      doctor: async () => [],
    },
    checkTarget: (path, target) => git.checkTarget(path, target),
    inspectRepository: (path, choice) => git.inspectRepository(path, choice),
    nearbyRepositories: async () => [],
    readDiff: createReadDiff(git),
    readReviewDiff: createReadReviewDiff(git),
    ...options,
  })
  return {
    ...{ api, database, repository },
    call: (method, path, body, headers) =>
      send(api.port, { method, path, body, headers: headers ?? {} }),
    async close() {
      await api.close()
      await database.close()
      await own.drop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** Opening a connection can cost more than a call. */
const kept = new Agent({ keepAlive: true })

/** A string or buffer body is sent as it is; anything else as JSON. A header set to undefined is left out. */
export function send(
  port: number,
  call: { method: string; path: string; body?: unknown; headers: Headers },
): Promise<Answer> {
  const raw =
    call.body === undefined || typeof call.body === 'string' || Buffer.isBuffer(call.body)
      ? call.body
      : JSON.stringify(call.body)
  const defaults: Headers = {
    'x-dispatch': '1',
    ...(raw === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(raw)) }),
  }
  const wanted = Object.entries({ ...defaults, ...call.headers })
  const headers = Object.fromEntries(
    wanted.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  )
  return new Promise((resolve, reject) => {
    const { method, path } = call
    const req = request({ host: '127.0.0.1', port, method, path, headers, agent: kept })
    req.once('error', reject)
    req.once('response', async (response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      const text = Buffer.concat(chunks).toString('utf8')
      const json = /json/.test(response.headers['content-type'] ?? '')
      const { statusCode = 0, headers: got } = response
      resolve({ status: statusCode, headers: got, body: json && text ? JSON.parse(text) : text })
    })
    req.end(raw)
  })
}
