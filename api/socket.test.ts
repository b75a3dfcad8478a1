import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { LiveItem, SocketLike } from '../client/live-socket.ts'
import { createStreams } from '../client/stream.ts'
import { goalStream } from '../contracts/ids.ts'
import { storeEvents } from '../db/transcripts.ts'
import { createMetrics } from './metrics.ts'
import { createSocketHub } from './socket.ts'
import { insertGoal, insertRun } from './support/rows.ts'
import { send, startTestApi, type TestApi } from './support/test-api.ts'

let at: TestApi
let baseUrl: string
beforeAll(async () => {
  at = await startTestApi()
  baseUrl = `http://127.0.0.1:${at.api.port}`
})
afterAll(() => at.close())

const note = (goalId: string, text: string) =>
  at.database.change(async (_tx, emit) =>
    emit({
      type: 'task.deviation',
      stream: goalStream(goalId),
      actor: 'dispatch',
      data: { goalId, taskId: goalId, text },
    }),
  )

async function take(items: AsyncIterable<LiveItem>, count: number): Promise<LiveItem[]> {
  const taken: LiveItem[] = []
  for await (const item of items) {
    taken.push(item)
    if (taken.length === count) break
  }
  return taken
}
const signal = () => AbortSignal.timeout(120_000)
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

test('replay and live meet without a gap or a repeat while others append', async () => {
  const goal = await insertGoal(at.database)
  for (const n of upTo(250)) await note(goal, `before ${n}`)
  const appending = Promise.all(
    upTo(4).map(async () => {
      for (const n of upTo(50)) await note(goal, `meanwhile ${n}`)
    }),
  )
  const asked: string[] = []
  const open = (url: string) => {
    const socket = new WebSocket(url)
    const send = socket.send.bind(socket) as (data: string) => void
    socket.send = (data: string) => {
      asked.push(JSON.parse(data).type)
      send(data)
    }
    return socket as SocketLike
  }
  const readers = upTo(3).map(() =>
    take(createStreams({ baseUrl, open })(goalStream(goal), { after: 0, signal: signal() }), 450),
  )
  await appending
  for (const items of await Promise.all(readers)) {
    expect(items.map((item) => item.seq)).toEqual(upTo(450))
    expect(items[0]).toMatchObject({ name: 'task:status', type: 'task.deviation' })
  }
  // a client heals a gap by asking again: there was none to heal
  expect(asked.filter((type) => type === 'subscribe')).toHaveLength(3)
})

test('a lost connection goes on after the last seq', async () => {
  const goal = await insertGoal(at.database)
  for (const n of upTo(10)) await note(goal, `${n}`)
  const sockets: WebSocket[] = []
  const open = (url: string) => {
    const socket = new WebSocket(url)
    sockets.push(socket)
    return socket as SocketLike
  }
  const seqs: number[] = []
  const items = createStreams({ baseUrl, open })(goalStream(goal), { after: 4, signal: signal() })
  for await (const item of items) {
    seqs.push(item.seq)
    if (item.seq === 10 && sockets.length === 1) {
      sockets[0]?.terminate()
      for (const n of upTo(5)) await note(goal, `later ${n}`)
    }
    if (item.seq === 15) break
  }
  expect(seqs).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
  expect(sockets.length).toBeGreaterThan(1)
})

test('a transcript streams by its run, and the feed has every event', async () => {
  const goal = await insertGoal(at.database)
  const run = await insertRun(at.database, goal)
  const streams = createStreams({ baseUrl })
  const entries = take(streams(`run/${run}`, { after: 0, signal: signal() }), 2)
  await storeEvents(at.database, run, [
    { type: 'text', text: 'hello', seq: 1, at: new Date().toISOString() },
    { type: 'text', text: 'again', seq: 2, at: new Date().toISOString() },
  ])
  expect(await entries).toMatchObject([
    { seq: 1, kind: 'text', content: { text: 'hello' } },
    { seq: 2, content: { text: 'again' } },
  ])
  const last = (await at.database.knex('streams').where({ name: 'feed' }).first()).seq
  await note(goal, 'for the feed')
  const [item] = await take(streams('feed', { after: last, signal: signal() }), 1)
  expect(item).toMatchObject({ seq: last + 1, stream: goalStream(goal) })
})

test('what one message brings is bounded in bytes too, and the rest follows', async () => {
  const run = await insertRun(at.database, await insertGoal(at.database))
  const long = { type: 'text', text: 'x'.repeat(256 * 1024), at: new Date().toISOString() } as const
  await storeEvents(
    at.database,
    run,
    upTo(20).map((seq) => ({ ...long, seq })),
  )
  const socket = new WebSocket(`${baseUrl.replace('http', 'ws')}/ws`)
  await once(socket, 'open')
  const sizes: number[] = []
  const seqs: number[] = []
  const live = new Promise<void>((resolve) =>
    socket.on('message', (data) => {
      const message = JSON.parse(String(data))
      if (message.type === 'live') resolve()
      if (message.type !== 'batch') return
      sizes.push(String(data).length)
      seqs.push(...message.items.map((item: { seq: number }) => item.seq))
    }),
  )
  socket.send(JSON.stringify({ type: 'subscribe', stream: `run/${run}`, after: 0 }))
  await live
  socket.close()
  expect(seqs).toEqual(upTo(20))
  expect(sizes).toHaveLength(5)
  expect(Math.max(...sizes)).toBeLessThan(1.5 * 1024 * 1024)
})

test('streams that are followed at once share a connection, which ends with the last of them', async () => {
  const [one, other] = [await insertGoal(at.database), await insertGoal(at.database)]
  const sockets: WebSocket[] = []
  const open = (url: string) => {
    const socket = new WebSocket(url)
    sockets.push(socket)
    return socket as SocketLike
  }
  const streams = createStreams({ baseUrl, open })
  await note(one, 'one')
  await note(other, 'other')
  const kept = streams(goalStream(one), { after: 0, signal: signal() })
  const left = new AbortController()
  const ended = streams(goalStream(other), { after: 0, signal: left.signal })
  expect(await Promise.all([kept.next(), ended.next()])).toMatchObject([
    { done: false },
    { done: false },
  ])
  left.abort()
  expect(await ended.next()).toMatchObject({ done: true })
  await note(one, 'more')
  expect(await kept.next()).toMatchObject({ value: { seq: 2 } })
  expect(sockets).toHaveLength(1)
  const closed = once(sockets[0] as WebSocket, 'close')
  await kept.return(undefined)
  await closed
})

test('one of as many streams as there may be is asked for again, and goes on', async () => {
  const { knex } = at.database
  const first = await insertGoal(at.database)
  await knex.raw(
    `insert into goals(project_id, title, description, profile, target_branch)
     select project_id, title, description, profile, target_branch from goals, generate_series(1, 200) where id = ?`,
    [first],
  )
  const ids: string[] = await knex('goals').orderBy('id', 'desc').limit(201).pluck('id')
  const socket = new WebSocket(`${baseUrl}/ws`)
  await once(socket, 'open')
  const answers: string[] = []
  const last = new Promise((resolve) =>
    socket.on('message', (data) => {
      const { type, code = type, stream } = JSON.parse(String(data))
      if (['live', 'too_many'].includes(code)) answers.push(code)
      if (code === 'too_many') resolve(stream)
    }),
  )
  const ask = (id: string | undefined) =>
    socket.send(JSON.stringify({ type: 'subscribe', stream: `goal/${id}`, after: 0 }))
  for (const id of ids.slice(0, 200)) ask(id)
  ask(ids[0])
  ask(ids[200])
  expect(await last).toBe(`goal/${ids[200]}`)
  await vi.waitFor(() => expect(answers).toHaveLength(202), 10_000)
  expect(answers.filter((code) => code === 'too_many')).toHaveLength(1)
  socket.close()
})

test('nothing is read for a client that hung up while its stream was looked up', async () => {
  const goal = await insertGoal(at.database)
  for (const n of upTo(3)) await note(goal, `${n}`)
  const { knex } = at.database
  const clients = async () =>
    /^dispatch_ws_clients (\d+)$/m.exec((await at.call('GET', '/metrics')).body)?.[1]
  await vi.waitFor(async () => expect(await clients()).toBe('0'), 10_000)
  const asked: string[] = []
  knex.on('query', ({ sql, bindings }) => {
    if (bindings?.includes(goalStream(goal))) asked.push(/from "(\w+)"/.exec(sql)?.[1] ?? sql)
  })
  await knex.transaction(async (tx) => {
    await tx.raw('lock table streams')
    const socket = new WebSocket(`${baseUrl}/ws`)
    await once(socket, 'open')
    socket.send(JSON.stringify({ type: 'subscribe', stream: goalStream(goal), after: 0 }))
    await vi.waitFor(() => expect(asked).toEqual(['streams']), 10_000)
    socket.terminate()
    await vi.waitFor(async () => expect(await clients()).toBe('0'), 10_000)
  })
  for (let n = 0; n < 3; n += 1) await at.call('GET', '/api/settings')
  expect(asked).toEqual(['streams'])
})

/** What comes for one raw message. */
async function ask(message: string | Buffer): Promise<unknown> {
  const socket = new WebSocket(`${baseUrl}/ws`)
  const messages: { type: string }[] = []
  const answer = new Promise((resolve) => {
    socket.on('message', (data) => {
      messages.push(JSON.parse(String(data)))
      if (messages.length === 2) resolve(messages[1])
    })
    socket.on('close', (code) => resolve({ closed: code }))
  })
  socket.once('open', () => socket.send(message))
  const got = await answer
  socket.terminate()
  return got
}

test('bad messages are answered, not obeyed', async () => {
  const goal = await insertGoal(at.database)
  const to = (stream: string, after: unknown) =>
    JSON.stringify({ type: 'subscribe', stream, after })
  expect(await ask('{')).toMatchObject({ type: 'error', code: 'invalid' })
  expect(await ask(Buffer.from(to('feed', 0)))).toMatchObject({ type: 'error', code: 'invalid' })
  expect(await ask(to('feed', -1))).toMatchObject({ code: 'invalid' })
  expect(await ask(to('feed', 2 ** 53))).toMatchObject({ code: 'invalid' })
  expect(await ask(to(goalStream(goal), 7))).toMatchObject({
    code: 'resync',
    stream: goalStream(goal),
  })
  expect(await ask(to('goal/G-999999', 0))).toMatchObject({ code: 'not_found' })
  expect(await ask(to('everything', 0))).toMatchObject({ code: 'bad_stream' })
  expect(await ask('x'.repeat(65 * 1024))).toEqual({ closed: 1009 })
})

const upgrade = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

test('a handshake that is none is told as a problem, like all else', async () => {
  const headers = { ...upgrade, 'sec-websocket-key': 'short' }
  const answer = await send(at.api.port, { method: 'GET', path: '/ws', headers })
  expect(answer).toMatchObject({
    ...{ status: 400, headers: { 'content-type': 'application/problem+json' } },
    body: { code: 'bad_request', detail: expect.stringContaining('Sec-WebSocket-Key') },
  })
})

test('a page elsewhere cannot open a live connection', async () => {
  const own = { host: `127.0.0.1:${at.api.port}` }
  const elsewhere = [
    { ...own, origin: 'http://evil.test' },
    { ...own, origin: 'null' },
    { ...own, origin: 'http://127.0.0.1:1' },
    { ...own, origin: `http://127.0.0.1:${at.api.port}`, 'sec-fetch-site': 'cross-site' },
    { host: `evil.test:${at.api.port}`, origin: `http://evil.test:${at.api.port}` },
  ]
  for (const headers of elsewhere) {
    const answer = await send(at.api.port, {
      method: 'GET',
      path: '/ws',
      headers: { ...upgrade, ...headers },
    })
    expect(answer.status).toBe(403)
  }
})

test('a client that does not read is closed with 4408 and can catch up', async () => {
  const goal = await insertGoal(at.database)
  const run = await insertRun(at.database, goal)
  const text = 'x'.repeat(400_000)
  const socket = new WebSocket(`${baseUrl}/ws`)
  const closed = new Promise<number>((resolve) => socket.once('close', resolve))
  await new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      if (JSON.parse(String(data)).type === 'live') resolve()
    })
    socket.once('open', () =>
      socket.send(JSON.stringify({ type: 'subscribe', stream: `run/${run}`, after: 0 })),
    )
  })
  socket.pause()
  const slow = async () =>
    (await at.call('GET', '/metrics')).body.includes('dispatch_ws_slow_clients_total 1')
  for (let seq = 1; !(await slow()); seq += 1) {
    expect(seq).toBeLessThan(200)
    await storeEvents(at.database, run, [{ type: 'text', text, seq, at: new Date().toISOString() }])
  }
  socket.resume()
  expect(await closed).toBe(4408)
})

test('who follows many streams from their beginning gets all of them, and is not called slow', async () => {
  const runs: string[] = []
  const text = 'x'.repeat(250_000)
  for (let n = 0; n < 8; n += 1) {
    const run = await insertRun(at.database, await insertGoal(at.database))
    const entry = (_: unknown, i: number) =>
      ({ type: 'text', text, seq: i + 1, at: new Date().toISOString() }) as const
    await storeEvents(at.database, run, Array.from({ length: 8 }, entry))
    runs.push(run)
  }
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const log = pino({ level: 'silent' })
  const { database } = at
  const metrics = createMetrics(database)
  const hub = createSocketHub({ database, log, metrics, version: '', maxBuffered: 100_000 })
  hub.attach(server, { allowedHosts: () => [`127.0.0.1:${port}`] })
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`)
  const live = new Set<string>()
  let items = 0
  const end = new Promise<string>((resolve) => {
    socket.once('close', (code) => resolve(`closed with ${code}`))
    socket.on('message', (data) => {
      const message = JSON.parse(String(data))
      if (message.type === 'batch') items += message.items.length
      if (message.type === 'live' && live.add(message.stream).size === runs.length) resolve('live')
    })
  })
  await once(socket, 'open')
  for (const run of runs)
    socket.send(JSON.stringify({ type: 'subscribe', stream: `run/${run}`, after: 0 }))
  expect({ end: await end, items }).toEqual({ end: 'live', items: 64 })
  await hub.close()
  server.close()
})

test('while it ends it takes nobody back, so that it does end', async () => {
  const ending = await startTestApi()
  const url = `ws://127.0.0.1:${ending.api.port}/ws`
  const [frozen, page] = [new WebSocket(url), new WebSocket(url)]
  await Promise.all([once(frozen, 'message'), once(page, 'message')])
  frozen.pause()
  const ended = ending.close()
  await once(page, 'close')
  const again = new WebSocket(url)
  const [error] = await once(again, 'error')
  expect(error).toMatchObject({ message: 'Unexpected server response: 503' })
  await ended
})
