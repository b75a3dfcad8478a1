import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RunSpec } from '../../contracts/agent.ts'
import { createExecTranslator } from './exec-translator.ts'
import { recordedTotal, totalInRollout } from './rollout.ts'
import { createTranslator } from './translator.ts'
import type { Notification } from './wire.ts'

let home: string
let file: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'rollout-'))
  const folder = join(home, '.codex/sessions/2026/11/25')
  mkdirSync(folder, { recursive: true })
  file = join(folder, 'rollout-2026-11-25T04-43-11-thread-1.jsonl')
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const exec = (input: number, output: number) => ({
  ...{ input_tokens: input, cached_input_tokens: 0, output_tokens: output },
  reasoning_output_tokens: 0,
})
const record = (input: number, output: number) =>
  `${JSON.stringify({ type: 'token_usage_record', payload: { thread_token_usage: exec(input, output) } })}\n`
const count = (input: number, output: number) =>
  `${JSON.stringify({ type: 'event_msg', payload: { info: { total_token_usage: exec(input, output) } } })}\n`

test('each look tells the total of the last whole line', () => {
  appendFileSync(file, record(100, 10) + count(90, 9))
  const read = recordedTotal({ HOME: home }, 'thread-1')
  expect(read()).toMatchObject({ inputTokens: 100, outputTokens: 10 })
  const line = record(250, 25)
  appendFileSync(file, line.slice(0, 40))
  expect(read()).toMatchObject({ inputTokens: 100 })
  appendFileSync(file, line.slice(40))
  expect(read()).toMatchObject({ inputTokens: 250, outputTokens: 25 })
  expect(totalInRollout({ HOME: home }, 'thread-1')).toMatchObject({ inputTokens: 90 })
  expect(recordedTotal({ HOME: home }, 'another')()).toBeUndefined()
})

test('a line that a full disk cut off, and another one was written behind, says nothing and stops nothing', () => {
  const cut = (line: string) => line.slice(0, -20)
  appendFileSync(file, record(100, 10) + count(90, 9) + cut(record(250, 25)) + cut(count(240, 24)))
  const read = recordedTotal({ HOME: home }, 'thread-1')
  appendFileSync(file, record(300, 30))
  expect(read()).toMatchObject({ inputTokens: 100 })
  expect(totalInRollout({ HOME: home }, 'thread-1')).toMatchObject({ inputTokens: 90 })
  appendFileSync(file, record(350, 35))
  expect(read()).toMatchObject({ inputTokens: 350 })
})

test('a compaction in a resumed thread counts, and what is written late is not missed', () => {
  appendFileSync(file, record(1000, 100) + count(1000, 100))
  const translator = createTranslator('/work', recordedTotal({ HOME: home }, 'thread-1'))
  const counts = (input: number, output: number) => ({
    ...{ inputTokens: input, cachedInputTokens: 0, outputTokens: output },
    reasoningOutputTokens: 0,
  })
  const total = (turnId: string, input: number, output: number) =>
    translator.read({
      method: 'thread/tokenUsage/updated',
      params: {
        turnId,
        tokenUsage: { total: counts(input, output), last: counts(0, 0) },
      },
    } as Notification)
  expect(total('earlier', 1000, 100)).toEqual([])
  translator.turnStarted('now')
  // the response is told before it is written down
  expect(total('now', 1300, 120)).toMatchObject([{ usage: { input: 300, output: 20 } }])
  appendFileSync(file, record(1300, 120) + record(1310, 125))
  expect(total('now', 1300, 120)).toMatchObject([{ usage: { input: 310, output: 25 } }])
  expect(total('now', 1300, 120)).toEqual([])
  appendFileSync(file, record(1810, 145))
  const ended = translator.read({ method: 'turn/completed', params: {} } as unknown as Notification)
  expect(ended).toMatchObject([{ usage: { input: 810, output: 45 } }])
})

test('what an answer took is told before the result of its tool, with which the next request is handed over', () => {
  appendFileSync(file, record(1000, 100))
  const translator = createTranslator('/work', recordedTotal({ HOME: home }, 'thread-1'))
  translator.turnStarted('now')
  const command = { type: 'commandExecution', command: 'ls', exitCode: 0 } as const
  const item = (id: string, status: string) => ({ id, ...command, status })
  translator.read({ method: 'item/started', params: { item: item('c-1', 'inProgress') } })
  appendFileSync(file, record(1300, 120))
  const ended = translator.read({
    method: 'item/completed',
    params: { item: item('c-1', 'completed') },
  })
  expect(ended).toMatchObject([
    { type: 'usage', usage: { input: 300, output: 20 } },
    { type: 'tool_result', callId: 'c-1' },
  ])
})

test('what a run by codex exec has used is read in the file at the end of each tool, and when it breaks off', () => {
  appendFileSync(file, count(90, 9))
  const env = { HOME: home }
  const before = totalInRollout(env, 'thread-1')
  const spec = { env, resumeSessionId: 'thread-1' } as unknown as RunSpec
  const { read, untold } = createExecTranslator(spec, before)
  read({ text: JSON.stringify({ type: 'thread.started', thread_id: 'thread-1' }) })
  expect(untold()).toEqual([])
  appendFileSync(file, count(240, 24))
  const [told] = untold()
  expect(told).toMatchObject({ type: 'usage', usage: { input: 150, output: 15 } })
  expect(untold()).toEqual([])
  appendFileSync(file, count(300, 30))
  const command = { id: '1', type: 'command_execution', command: 'ls', status: 'completed' }
  expect(read({ text: JSON.stringify({ type: 'item.completed', item: command }) })).toMatchObject([
    { type: 'tool' },
    { type: 'usage', usage: { input: 210, output: 21 } },
    { type: 'tool_result' },
  ])
})
