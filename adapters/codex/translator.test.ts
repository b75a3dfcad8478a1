import { expect, test } from 'vitest'
import type { AgentEvent } from '../../contracts/agent.ts'
import { saidIn } from '../../test/agents/recorded.ts'
import { failureOf } from './failures.ts'
import { createTranslator } from './translator.ts'
import type { Notification, Turn } from './wire.ts'

/** What Codex told of in a recording. */
const notifications = (title: string): Notification[] =>
  saidIn<Notification>('codex', title).filter(({ method }) => method)

function replay(all: readonly Notification[]) {
  const translator = createTranslator('/home/person/project')
  translator.turnStarted(turnIn(all).id)
  const events: AgentEvent[] = all.flatMap((notification) => translator.read(notification))
  return { events, answer: translator.answer() }
}
const of = <T extends AgentEvent['type']>(events: readonly AgentEvent[], type: T) =>
  events.filter((event): event is AgentEvent & { type: T } => event.type === type)
const turnIn = (all: readonly Notification[]): Turn => {
  const last = all.findLast(({ method }) => method === 'turn/completed')
  if (last?.method !== 'turn/completed') throw new Error('the recording has no end')
  return last.params.turn
}

const WRITES = 'a tool call has its result, and the file is really there'

test('a written file: text as it streams, the tool, the file, and tokens that grow', () => {
  const { events, answer } = replay(notifications(WRITES))
  expect(of(events, 'text')[0]?.text).toBe('Writin')
  expect(of(events, 'tool')).toMatchObject([{ name: 'apply_patch', input: 'hello.txt' }])
  expect(of(events, 'tool_result')).toMatchObject([{ ok: true }])
  expect(of(events, 'file')).toEqual([{ type: 'file', path: 'hello.txt', change: 'create' }])
  expect(of(events, 'usage').map(({ usage }) => usage)).toEqual([
    { input: 1200, output: 34, cacheRead: 800, cacheWrite: 100, reasoning: 0 },
    { input: 2400, output: 68, cacheRead: 1600, cacheWrite: 200, reasoning: 0 },
  ])
  expect(answer).toBe('{"answer":42}')
})

test('without the raw events the totals say the same, once', () => {
  const totals = notifications(WRITES).filter(({ method }) => !method.startsWith('raw'))
  const usages = of(replay(totals).events, 'usage').map(({ usage }) => usage.input)
  expect(usages).toEqual([1200, 2400])
})

test('a resumed thread tells what was before, which is not counted', () => {
  const { events } = replay(notifications('resume keeps the session'))
  expect(of(events, 'usage').map(({ usage }) => usage.input)).toEqual([1200])
})

test('a refused patch and a command that ended at once are told, although they are no items', () => {
  const { events } = replay(notifications('what it may not write is refused, and that is told'))
  const results = of(events, 'tool_result')
  expect(of(events, 'tool').map(({ name }) => name)).toEqual(['apply_patch', 'shell', 'shell'])
  expect(results.map(({ ok }) => ok).slice(0, 2)).toEqual([false, false])
  expect(results[0]?.output).toContain('blocked by read-only sandbox')
  expect(results[1]?.output).toContain('Read-only file system')
})

test('tries are told with their reason; the end names the login', () => {
  const all = notifications('an agent that is not logged in says so')
  expect(of(replay(all).events, 'retry')[0]).toMatchObject({ attempt: 1, reason: 'auth' })
  const [tried] = all.flatMap((each) => (each.method === 'error' ? [each.params.error] : []))
  const terminal = failureOf(tried ?? { message: '' }, undefined)
  expect(terminal).toMatchObject({ type: 'failed', reason: 'auth' })
  expect(terminal).toHaveProperty('detail', expect.stringContaining('codex login'))
})

test('an error that comes as the JSON of the provider is told in its words', () => {
  const error = { type: 'invalid_request_error', message: 'Your input is too long.', param: null }
  const codexErrorInfo = 'contextWindowExceeded'
  const failed = (message: string) => failureOf({ message, codexErrorInfo }, undefined)
  expect(failed(JSON.stringify({ error }))).toMatchObject({
    ...{ reason: 'context', detail: 'Your input is too long.' },
  })
  expect(failed(`status 400: ${JSON.stringify({ error })}`)).toMatchObject({
    detail: 'status 400: Your input is too long.',
  })
  expect(failed('{odd}')).toMatchObject({ detail: '{odd}' })
})

test('a compaction is told and counted', () => {
  const { events } = replay(notifications('a conversation that was shortened is told'))
  const compaction = { type: 'compaction', trigger: 'auto' }
  expect(of(events, 'compaction')).toEqual([compaction, compaction])
  expect(of(events, 'usage').at(-1)?.usage.input).toBe(190_000 + 10 + 195_000 + 10 + 1200)
})
