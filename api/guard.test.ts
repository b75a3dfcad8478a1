import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Route, routes } from '../contracts/routes.ts'
import { connect } from '../db/connect.ts'
import { createApp } from './app.ts'
import { createMetrics } from './metrics.ts'
import { send, startTestApi, type TestApi } from './support/test-api.ts'

let at: TestApi
beforeAll(async () => {
  at = await startTestApi()
})
afterAll(() => at.close())

interface Layer {
  route?: { path: string; methods: Record<string, boolean>; stack: { method?: string }[] }
}

/** Every method and path that express itself knows, whatever the table says. */
function boundRoutes(): string[] {
  const database = connect('postgresql://nobody@127.0.0.1:1/none')
  const unused = async () => {
    throw new Error('not in this test')
  }
  const app = createApp({
    ...{ database, log: pino({ level: 'silent' }), version: '0', userName: 'sam' },
    ...{ metrics: createMetrics(database), allowedHosts: () => [], workflowUrl: () => null },
    ...{
      inspectRepository: unused,
      checkTarget: unused,
      nearbyRepositories: unused,
      readDiff: unused,
      readReviewDiff: unused,
      doctor: unused,
      temporalReady: unused,
    },
    onChange: () => undefined,
  })
  const layers = (app.router as unknown as { stack: Layer[] }).stack
  return layers.flatMap(({ route }) =>
    route && !route.methods['_all']
      ? [...new Set(route.stack.map((step) => step.method))].flatMap((method) =>
          method ? [`${method.toUpperCase()} ${route.path}`] : [],
        )
      : [],
  )
}

test('every route of the table is bound, and nothing else', () => {
  const table = Object.values<Route>(routes).map(({ method, path }) => `${method} ${path}`)
  const extra = ['GET /api/openapi.json', 'GET /metrics']
  expect(boundRoutes().sort()).toEqual([...table, ...extra].sort())
})

test('no route answers a foreign name, page, type or a request without our header', async () => {
  const { port } = at.api
  const host = `127.0.0.1:${port}`
  const json = { 'content-type': 'application/json' }
  const refused: [Record<string, string | undefined>, number][] = [
    [{ host: `evil.test:${port}` }, 403],
    [{ host: '127.0.0.1:1' }, 403],
    [{ host: `127.0.0.1.evil.test:${port}` }, 403],
    [{ host, origin: 'http://evil.test' }, 403],
    [{ host, origin: 'null' }, 403],
    [{ host, origin: 'file://' }, 403],
    [{ host, origin: 'http://127.0.0.1:1' }, 403],
    [{ host: `evil.test:${port}`, origin: `http://evil.test:${port}` }, 403],
    [{ host, 'sec-fetch-site': 'cross-site' }, 403],
    [{ host, 'sec-fetch-site': 'same-site' }, 403],
    [
      {
        host,
        'sec-fetch-site': 'cross-site',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
      },
      403,
    ],
    [{ host: `evil.test:${port}`, 'x-forwarded-host': host }, 403],
  ]
  const refusedChanges: [Record<string, string | undefined>, number][] = [
    [{ host, 'x-dispatch': undefined }, 403],
    [{ host, 'content-type': 'text/plain' }, 415],
    [{ host, 'content-type': 'application/x-www-form-urlencoded' }, 415],
    [{ host, 'content-type': 'multipart/form-data; boundary=x' }, 415],
    [{ host, 'content-type': undefined }, 415],
  ]
  const before = await counts()
  for (const bound of boundRoutes()) {
    const [method = '', pattern = ''] = bound.split(' ')
    const path = pattern.replace(':id', '00000000-0000-7000-8000-000000000000')
    const body = method === 'GET' ? undefined : '{}'
    for (const [headers, status] of [...refused, ...(body ? refusedChanges : [])]) {
      const answer = await send(port, {
        method,
        path,
        body,
        headers: { ...(body ? json : {}), ...headers },
      })
      expect({ bound, headers, status: answer.status }).toEqual({ bound, headers, status })
    }
  }
  expect(await counts()).toEqual(before)
})

async function counts() {
  const tables = ['projects', 'goals', 'profiles', 'settings', 'events', 'outbox', 'idempotency']
  return Promise.all(tables.map((table) => at.database.knex(table).count()))
}

test('our own names and pages are let in, however they are written', async () => {
  const { port } = at.api
  for (const name of ['127.0.0.1', 'localhost', 'LOCALHOST', 'localhost.', '[::1]']) {
    const host = `${name}:${port}`
    for (const origin of [undefined, `http://${host}`])
      for (const site of [undefined, 'same-origin', 'none']) {
        const headers = { host, origin, 'sec-fetch-site': site }
        const answer = await send(port, { method: 'GET', path: '/api/settings', headers })
        expect({ headers, status: answer.status }).toEqual({ headers, status: 200 })
      }
  }
})

test('answers carry the headers that keep pages apart, and none that lets others in', async () => {
  const answer = await at.call('GET', '/api/goals', undefined, {
    origin: `http://127.0.0.1:${at.api.port}`,
    host: `127.0.0.1:${at.api.port}`,
  })
  expect(answer.headers['content-security-policy']).toContain("frame-ancestors 'none'")
  expect(answer.headers['x-content-type-options']).toBe('nosniff')
  expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual(
    [],
  )
  expect(answer.headers['x-powered-by']).toBeUndefined()
})
