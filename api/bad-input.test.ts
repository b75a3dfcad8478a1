import { connect as connectTcp } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Route, routes } from '../contracts/routes.ts'
import { insertGoal, insertRun } from './support/rows.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

let at: TestApi
beforeAll(async () => {
  at = await startTestApi()
  await at.call('POST', '/api/projects', { path: at.repository, name: 'shop' })
})
afterAll(() => at.close())

const goalWith = (description: string) => `{"project":"shop","description":${description}}`
const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`
const JSON_UTF16 = { 'content-type': 'application/json; charset=utf-16' }

const BODIES: [string, string | Buffer | undefined, number, Record<string, string>?][] = [
  ['no body', undefined, 422],
  ['cut', '{', 400],
  ['an array', '[]', 422],
  ['null', 'null', 422],
  ['a string', '"str"', 422],
  ['a key twice', '{"project":"shop","project":"shop","description":"x"}', 422],
  ['__proto__', '{"__proto__":{"polluted":1},"project":"shop","description":"x"}', 422],
  ['constructor', '{"constructor":{"prototype":{"polluted":1}}}', 422],
  ['an escaped __proto__', '{"\\u005f_proto__":{"polluted":1}}', 422],
  ['deep', goalWith(deep), 422],
  ['a million keys', `{${Array.from({ length: 5e5 }, (_, i) => `"k${i}":1`).join()}}`, 413],
  ['a number too large', '{"project":"shop","description":"x","tokenBudget":1e400}', 422],
  [
    'a number too precise',
    '{"project":"shop","description":"x","tokenBudget":9007199254740993}',
    422,
  ],
  ['NaN', '{"project":"shop","description":"x","tokenBudget":NaN}', 400],
  ['a BOM', `\ufeff${goalWith('"x"')}`, 400],
  ['UTF-16', Buffer.from(goalWith('"x"'), 'utf16le'), 415, JSON_UTF16],
  ['broken UTF-8', Buffer.from([...Buffer.from('{"project":"'), 0xff, ...Buffer.from('"}')]), 400],
  ['half a character', goalWith('"\\ud800"'), 422],
  ['gzip', gzipSync(Buffer.alloc(10_000_000)), 415, { 'content-encoding': 'gzip' }],
  ['an unknown encoding', goalWith('"x"'), 415, { 'content-encoding': 'zstd-x' }],
  ['an odd type', goalWith('"x"'), 415, { 'content-type': 'application/json-patch+json' }],
  ['empty text', goalWith('"  "'), 422],
  ['invisible text', goalWith('"\\u200b\\u2060"'), 422],
  ['NUL', goalWith('"a\\u0000b"'), 422],
  ['too long a text', goalWith(`"${'x'.repeat(65_537)}"`), 422],
  ['an unknown key', '{"project":"shop","description":"x","admin":true}', 422],
]

test.each(BODIES)('a body with %s is refused in words', async (_name, body, status, headers) => {
  const answer = await at.call('POST', '/api/goals', body, headers)
  expect(answer.status).toBe(status)
  expect(answer.headers['content-type']).toContain('application/problem+json')
  expect(answer.body).toMatchObject({ status, requestId: answer.headers['x-request-id'] })
  expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|at \w+ \(|select /)
  expect(Object.prototype).not.toHaveProperty('polluted')
  expect(await at.database.knex('goals')).toEqual([])
})

test('ids that are none are not found, on every route that takes one', async () => {
  const ids = [
    'constructor',
    '__proto__',
    'undefined',
    'NaN',
    '1 OR 1=1',
    "'; DROP",
    '../x',
    'G-0',
    'P-999',
    '\u0000',
    'x'.repeat(101),
  ]
  const body: Record<string, unknown> = {
    decideReview: { decision: 'approve', hash: 'h' },
    approveTask: { hash: 'h' },
    rejectTask: { hash: 'h', comment: 'no' },
  }
  for (const [name, { method, path }] of Object.entries<Route>(routes)) {
    if (!path.includes(':id')) continue
    for (const id of ids) {
      const sent = method === 'GET' || method === 'DELETE' ? undefined : (body[name] ?? {})
      const answer = await at.call(method, path.replace(':id', encodeURIComponent(id)), sent)
      expect({ name, id, known: [404, 422].includes(answer.status) }).toEqual({
        name,
        id,
        known: true,
      })
    }
  }
})

const told = async (method: string, path: string, body?: unknown) => {
  const answer = await at.call(method, path, body)
  return `${answer.status} ${answer.body.detail}`
}

test.each([
  ['POST', '/api/goals', {}, 'project is missing'],
  ['POST', '/api/goals', [], 'body must be an object'],
  ['POST', '/api/goals', { project: 5, description: 'x' }, 'project must be a string'],
  [
    ...(['POST', '/api/goals'] as const),
    { project: 'shop', description: 'x', tokenBudget: 1.5 },
    'tokenBudget must be a whole number',
  ],
  ['PATCH', '/api/settings', { skipSpecReview: 'x' }, 'skipSpecReview must be true or false'],
  ['PATCH', '/api/settings', { displayName: 'a\nb' }, 'displayName must be one line'],
])('%s %s of %j: %s', async (method, path, body, words) => {
  expect(await told(method, path, body)).toBe(`422 The body is wrong: ${words}.`)
})

test('what is too long, is dots for a name or a day that does not exist is told in words', async () => {
  const long = { project: 'shop', description: 'x'.repeat(65_537) }
  expect(await told('POST', '/api/goals', long)).toBe(
    '422 The body is wrong: description must have at most 65,536 characters.',
  )
  const profiles = (await at.call('GET', '/api/profiles/Demo')).body
  const dots = { name: '..', stages: profiles.stages }
  const words = '422 The body is wrong: name must not be dots alone.'
  expect(await told('POST', '/api/profiles', dots)).toBe(words)
  expect(await told('PATCH', '/api/projects/shop', { name: '.' })).toBe(words)
  for (const day of ['2026-02-31', '2026-13-01'])
    expect(await told('GET', `/api/ledger?from=${day}T00:00:00Z`)).toBe(
      '422 The query is wrong: from must be a day or time that exists, such as 2026-01-31 or 2026-01-31T12:00:00Z.',
    )
  expect(await told('GET', '/api/goals?limit=201')).toBe(
    '422 The query is wrong: limit must be at most 200.',
  )
})

test('addresses and methods that are none', async () => {
  const status = async (method: string, path: string) => (await at.call(method, path)).status
  expect(await status('GET', '/api/goals/%zz')).toBe(400)
  expect(await status('GET', `/api/goals?status=${'x'.repeat(9000)}`)).toBe(414)
  expect(await status('GET', '/api/goals?limit=1&limit=2')).toBe(422)
  expect(await status('GET', '/api/goals?limit=0')).toBe(422)
  expect(await status('GET', '/api/goals?nonsense=1')).toBe(422)
  expect(await status('GET', '/api/goals?token=abc')).toBe(400)
  expect(await status('GET', '/nothing')).toBe(404)
  expect(await status('HEAD', '/api/goals')).toBe(200)
  const made = await at.call('POST', '/API/projects/', { path: at.repository })
  expect(made.headers.location).toBe(`/api/projects/${made.body.id}`)
  for (const method of ['PUT', 'OPTIONS', 'TRACE']) {
    const answer = await at.call(method, '/api/goals')
    expect(answer).toMatchObject({ status: 405, headers: { allow: 'GET, POST, HEAD' } })
  }
  for (const path of ['/api/openapi.json', '/metrics'])
    expect(await at.call('POST', path)).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    })
  const overridden = await at.call('GET', '/api/pool/pause', undefined, {
    'x-http-method-override': 'POST',
  })
  expect(overridden.status).toBe(405)
})

test('what Postgres would stumble over is refused before', async () => {
  const run = await insertRun(at.database, await insertGoal(at.database))
  const cursor = (place: unknown[]) => Buffer.from(JSON.stringify(place)).toString('base64url')
  for (const path of [
    '/api/agents?adapter=%00',
    `/api/agents/${run}/transcript?kind=%00`,
    `/api/reviews?cursor=${cursor([2 ** 50, run])}`,
    '/api/overview?since=0000-01-01T00:00:00Z',
    '/api/ledger?from=0000-01-01',
    `/api/overview?since=2026-01-31T12:00:00.${'1'.repeat(200)}Z`,
    `/api/ledger?to=2026-01-31T12:00:00.${'1'.repeat(200)}Z`,
  ])
    expect(`${path} ${(await at.call('GET', path)).status}`).toBe(`${path} 422`)
  const far = cursor(['day', 'tokens', 2 ** 50, 'x'])
  expect((await at.call('GET', `/api/ledger?by=day&cursor=${far}`)).status).toBe(200)
})

test('a question that Postgres gives up on is told as that, and may be asked again', async () => {
  const { knex } = at.database
  const answer = await knex.transaction(async (tx) => {
    await tx.raw('lock table settings')
    const asked = at.call('GET', '/api/settings')
    const end = `select pg_cancel_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`
    await vi.waitFor(async () => expect((await knex.raw(end)).rowCount).toBe(1), 30_000)
    return asked
  })
  expect(answer).toMatchObject({
    ...{ status: 503, body: { code: 'database_unavailable' } },
    headers: { 'retry-after': expect.any(String) },
  })
})

/** What the server answers to raw bytes, after which the client says no more; `stays`: nor that it is done. */
function raw(bytes: string, { stays = false } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp(at.api.port, '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.once('error', reject)
    socket.once('close', () => resolve(answer.split('\r\n')[0] ?? ''))
    socket.write(bytes)
    if (!stays) socket.end()
  })
}

test('HTTP that is none is answered and ended', async () => {
  const host = `Host: 127.0.0.1:${at.api.port}\r\n`
  const many = Array.from({ length: 2000 }, (_, i) => `x-${i}: aaaaaaaaaa\r\n`).join('')
  const get = (headers: string) => `GET /api/goals HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`
  expect(await raw(get(`${host}${host}`))).toContain(' 400 ')
  expect(await raw(get(''))).toContain(' 400 ')
  expect(await raw(get('Host:\r\n'))).toContain(' 403 ')
  expect(await raw(get(`${host}${many}`))).toContain(' 431 ')
  const both = `POST /api/goals HTTP/1.1\r\n${host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`
  expect(await raw(both)).toContain(' 400 ')
  expect(await raw('\u0000\u0001nonsense\r\n\r\n')).toContain(' 400 ')
})

test('a request that never comes to its end is not waited for', async () => {
  const begun = `GET /api/goals HTTP/1.1\r\nHost: 127.0.0.1:${at.api.port}\r\nX-Slow: `
  expect(await raw(begun, { stays: true })).toContain(' 408 ')
}, 45_000)
