import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { AgentEvent } from '../../contracts/agent.ts'
import { failureOf } from './failures.ts'
import { createTranslator } from './translator.ts'
import type { Notification, Turn } from './wire.ts'

const TURN = '01a00000-0000-7000-8000-000000000002'

/** What Codex 0.169.0 said in `recordings/` (a scripted model; paths and ids made anonymous, what is not read left out). */
function notifications(recording: string): Notification[] {
  const file = new URL(`./recordings/${recording}.jsonl`, import.meta.url)
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Notification)
}

function replay(all: readonly Notification[]) {
  const translator = createTranslator('/home/user/project')
  translator.turnStarted(TURN)
  const events: AgentEvent[] = all.flatMap((notification) => translator.read(notification))
  return { events, answer: translator.answer() }
}
const of = <T extends AgentEvent['type']>(events: readonly AgentEvent[], type: T) =>
  events.filter((event): event is AgentEvent & { type: T } => event.type === type)
const turnIn = (all: readonly Notification[]): Turn => {
  const last = all.at(-1)
  if (last?.method !== 'turn/completed') throw new Error('the recording has no end')
  return last.params.turn
}

test('a written file: text as it streams, the tool, the file, and tokens that grow', () => {
  const { events, answer } = replay(notifications('write-file'))
  expect(of(events, 'text')[0]?.text).toBe('I will c')
  expect(of(events, 'tool')).toMatchObject([{ name: 'apply_patch', input: 'hello.txt' }])
  expect(of(events, 'tool_result')).toMatchObject([{ ok: true }])
  expect(of(events, 'file')).toEqual([{ type: 'file', path: 'hello.txt', change: 'create' }])
  expect(of(events, 'usage').map(({ usage }) => usage)).toEqual([
    { input: 1200, output: 34, cacheRead: 800, cacheWrite: 0, reasoning: 7 },
    { input: 2400, output: 68, cacheRead: 1600, cacheWrite: 0, reasoning: 14 },
  ])
  expect(answer).toBe('Done: hello.txt was written.')
})

test('without the raw events the totals say the same, once', () => {
  const totals = notifications('write-file').filter(({ method }) => !method.startsWith('raw'))
  const usages = of(replay(totals).events, 'usage').map(({ usage }) => usage.input)
  expect(usages).toEqual([1200, 2400])
})

test('a resumed thread tells what was before, which is not counted', () => {
  const { events } = replay(notifications('resumed').map(asOfTheSecondTurn))
  expect(of(events, 'usage').map(({ usage }) => usage.input)).toEqual([1200])
})

/** The first count of a resumed thread names the turn before. */
function asOfTheSecondTurn(notification: Notification, index: number): Notification {
  const params = { ...notification.params, turnId: index === 0 ? 'before' : TURN }
  return { ...notification, params } as Notification
}

test('a refused patch and a command that ended at once are told, although they are no items', () => {
  const { events } = replay(notifications('refused-patch'))
  const results = of(events, 'tool_result')
  expect(of(events, 'tool').map(({ name }) => name)).toEqual(['apply_patch', 'shell'])
  expect(results.map(({ ok }) => ok)).toEqual([false, false])
  expect(results[0]?.output).toContain('blocked by read-only sandbox')
  expect(results[1]?.output).toContain('Read-only file system')
})

test('tries are told with their reason; the end names the login', () => {
  const all = notifications('refused-key')
  expect(of(replay(all).events, 'retry')[0]).toMatchObject({ attempt: 1, reason: 'auth' })
  const terminal = failureOf(turnIn(all).error ?? { message: '' }, undefined)
  expect(terminal).toMatchObject({ type: 'failed', reason: 'auth' })
  expect(terminal).toHaveProperty('detail', expect.stringContaining('codex login'))
})

test('a compaction is told and counted', () => {
  const { events } = replay(notifications('compaction'))
  expect(of(events, 'compaction')).toEqual([{ type: 'compaction', trigger: 'auto' }])
  expect(of(events, 'usage').at(-1)?.usage.input).toBe(190_000 + 100 + 1200)
})
