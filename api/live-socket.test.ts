import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import {
  createLiveSocket,
  type LiveConnection,
  type LiveItem,
  type LiveSocket,
  type SocketLike,
} from '../client/live-socket.ts'
import { goalStream } from '../contracts/ids.ts'
import { insertGoal } from './support/rows.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

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
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

/** A live socket that can be cut, and what it said. */
function connect() {
  const said: LiveConnection['state'][] = []
  const sockets: WebSocket[] = []
  let change: () => void = () => undefined
  const socket = createLiveSocket({
    baseUrl,
    open(url) {
      const own = new WebSocket(url)
      sockets.push(own)
      return own as SocketLike
    },
    onConnection({ state }) {
      said.push(state)
      change()
    },
  })
  const state = (wanted: LiveConnection['state'], count = 1) =>
    new Promise<void>((resolve) => {
      change = () => said.filter((one) => one === wanted).length >= count && resolve()
      change()
    })
  return { socket, sockets, said, state }
}

/** Items of a stream as they come; `got(n)` resolves when there are n. */
function follow(socket: LiveSocket, stream: string, from: { after: number; last?: number }) {
  const items: LiveItem[] = []
  let change: () => void = () => undefined
  let isLive: () => void = () => undefined
  const live = new Promise<void>((resolve) => {
    isLive = resolve
  })
  const end = socket.subscribe({
    ...{ stream, ...from, onLive: isLive },
    onItems(more) {
      items.push(...more)
      change()
    },
  })
  const got = (count: number) =>
    new Promise<number[]>((resolve) => {
      change = () => items.length >= count && resolve(items.map(({ seq }) => seq))
      change()
    })
  return { items, live, got, end }
}

test('one socket carries many streams; each begins where it was asked to', async () => {
  const [one, other] = [await insertGoal(at.database), await insertGoal(at.database)]
  for (const n of upTo(30)) await note(one, `one ${n}`)
  for (const n of upTo(5)) await note(other, `other ${n}`)
  const { socket, sockets } = connect()
  const all = follow(socket, goalStream(one), { after: 0 })
  const newest = follow(socket, goalStream(other), { after: 0, last: 2 })
  const coming = follow(socket, 'feed', { after: 0, last: 0 })
  await Promise.all([all.live, newest.live, coming.live])
  expect(await all.got(30)).toEqual(upTo(30))
  expect(await newest.got(2)).toEqual([4, 5])
  expect(coming.items).toEqual([])
  await note(other, 'the sixth')
  expect(await newest.got(3)).toEqual([4, 5, 6])
  expect((await coming.got(1)).length).toBe(1)
  expect(coming.items[0]).toMatchObject({ data: { text: 'the sixth' } })
  expect(sockets).toHaveLength(1)
  socket.close()
})

test('a cut connection goes on without a gap or a repeat, whatever happened meanwhile', async () => {
  const goal = await insertGoal(at.database)
  const { socket, sockets, said, state } = connect()
  const feed = follow(socket, goalStream(goal), { after: 0, last: 0 })
  await feed.live
  await note(goal, '1')
  await feed.got(1)
  sockets[0]?.terminate()
  await state('lost')
  for (const n of upTo(10)) await note(goal, `meanwhile ${n}`)
  socket.retry()
  await state('live', 2)
  await note(goal, 'after')
  expect(await feed.got(12)).toEqual(upTo(12))
  expect(said).toEqual(['connecting', 'live', 'lost', 'live'])
  socket.close()
})

test('a stream that does not exist is refused, and the others go on', async () => {
  const goal = await insertGoal(at.database)
  const { socket } = connect()
  const refused = new Promise((resolve) => {
    socket.subscribe({
      ...{ stream: 'goal/G-999999', after: 0, onItems: () => undefined },
      onRefused: resolve,
    })
  })
  const other = follow(socket, goalStream(goal), { after: 0 })
  expect(await refused).toMatchObject({ code: 'not_found' })
  await note(goal, 'heard')
  expect(await other.got(1)).toEqual([1])
  socket.close()
})

test('who ended a stream hears nothing more of it', async () => {
  const [one, other] = [await insertGoal(at.database), await insertGoal(at.database)]
  const { socket } = connect()
  const ended = follow(socket, goalStream(one), { after: 0 })
  const kept = follow(socket, goalStream(other), { after: 0 })
  await Promise.all([ended.live, kept.live])
  ended.end()
  await note(one, 'unheard')
  await note(other, 'heard')
  await kept.got(1)
  expect(ended.items).toEqual([])
  socket.close()
})
