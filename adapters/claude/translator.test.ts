import { expect, test } from 'vitest'
import type { AgentEvent } from '../../contracts/agent.ts'
import { saidIn } from '../../test/agents/recorded.ts'
import { gitRead } from './access.ts'
import { failureOf } from './failures.ts'
import { createTranslator } from './translator.ts'
import { createUsageMeter } from './usage-meter.ts'
import type { ClaudeMessage, ResultMessage } from './wire.ts'

/** What Claude Code said in a recording, as the SDK hands it on. */
function replay(title: string, structured = true): AgentEvent[] {
  const translator = createTranslator({
    cwd: '/home/person/project',
    structured,
    onLifecycle: () => undefined,
  })
  return saidIn<ClaudeMessage>('claude', title)
    .filter(({ type }) => !type.startsWith('control_'))
    .flatMap((message) => translator.read(message))
}
const typesOf = (events: AgentEvent[]) => [...new Set(events.map(({ type }) => type))]

test('a run that writes a file', () => {
  const events = replay('a tool call has its result, and the file is really there')
  expect(typesOf(events)).toEqual([
    'session',
    'usage',
    'text',
    'tool',
    'tool_result',
    'file',
    'done',
  ])
  expect(events.find(({ type }) => type === 'tool')).toMatchObject({
    name: 'Write',
    input: 'hello.txt',
  })
  expect(events.find(({ type }) => type === 'file')).toMatchObject({
    path: 'hello.txt',
    change: 'create',
  })
  const usage = { input: 2400, output: 68, cacheRead: 1600, cacheWrite: 200, reasoning: 0 }
  expect(events.at(-2)).toMatchObject({ type: 'usage', usage, costUsd: expect.any(Number) })
})

test('an answer counts though its tokens are told as no version tells them yet', () => {
  const translator = createTranslator({ cwd: '/', structured: true, onLifecycle: () => undefined })
  const answered = { type: 'result', subtype: 'success', is_error: false, result: '{"answer":42}' }
  const message = { ...answered, model_usage_since_last_result: { some: null } }
  const events = translator.read(message as unknown as ClaudeMessage)
  expect(events.at(-1)).toMatchObject({ type: 'done', output: { answer: 42 } })
  expect(events[0]).toMatchObject({ type: 'notice', level: 'warn' })
})

test('a refused key ends it at the first retry; a failing provider after the last', () => {
  expect(
    replay('an agent that is not logged in says so').find(({ type }) => type === 'failed'),
  ).toMatchObject({
    reason: 'auth',
    detail: expect.stringContaining('claude auth login'),
  })
  const failing = replay('a provider that fails is overloaded')
  expect(failing.filter(({ type }) => type === 'retry')).toMatchObject([
    { attempt: 1, reason: 'overloaded' },
    { attempt: 2, reason: 'overloaded' },
  ])
  expect(failing.at(-1)).toMatchObject({ type: 'failed', reason: 'overloaded' })
})

test('a shortened conversation tells its summary and is no text of the agent', () => {
  const events = replay('a conversation that was shortened is told')
  const [compaction] = events.filter(({ type }) => type === 'compaction')
  expect(compaction).toMatchObject({
    trigger: 'auto',
    summary: expect.stringContaining('scripted summary'),
  })
  expect(events.at(-1)?.type).toBe('done')
})

test('an answer in words is taken for the structured one where it is JSON, else left out', () => {
  const read = (text: string) => {
    const translator = createTranslator({
      cwd: '/x',
      structured: true,
      onLifecycle: () => undefined,
    })
    return translator.read({ ...RESULT, result: text }).at(-1)
  }
  expect(read('{"a":1}')).toMatchObject({ type: 'done', output: { a: 1 } })
  expect(read('done')).toEqual({ type: 'done', text: 'done' })
})

const RESULT: ResultMessage = {
  type: 'result',
  subtype: 'success',
  is_error: false,
  model_usage_since_last_result: {},
}

test('a cost that is a guess, or not told, is unknown', () => {
  const usage = { inputTokens: 10, outputTokens: 1, cacheReadInputTokens: 0 }
  const model = { ...usage, cacheCreationInputTokens: 0, costUSD: 1 }
  const meter = createUsageMeter()
  const known = meter.finished({ ...RESULT, model_usage_since_last_result: { a: model } })
  expect(known).toMatchObject({ usage: { input: 10 }, costUsd: 1 })
  const guess = { ...model, costBasis: 'unknown' }
  const unknown = meter.finished({ ...RESULT, model_usage_since_last_result: { b: guess } })
  expect(unknown).toMatchObject({ usage: { input: 20 } })
  expect(unknown).not.toHaveProperty('costUsd')
  const { model_usage_since_last_result: _, ...old } = RESULT
  expect(createUsageMeter().finished({ ...old, usage: { input_tokens: 3 } })).toEqual({
    type: 'usage',
    usage: expect.objectContaining({ input: 3 }),
  })
})

test('an answer that is broken off has read what it began with', () => {
  const meter = createUsageMeter()
  const begin = {
    id: 'm-1',
    usage: { input_tokens: 900, cache_read_input_tokens: 100, output_tokens: 1 },
  }
  meter.streamed({ type: 'message_start', message: begin })
  const whole = meter.streamed({ type: 'message_delta', usage: { output_tokens: 50 } })
  expect(whole).toMatchObject({ usage: { input: 900, cacheRead: 100, output: 50 } })
  const next = { ...begin, id: 'm-2' }
  const broken = meter.streamed({ type: 'message_start', message: next })
  expect(broken).toMatchObject({ usage: { input: 1800, cacheRead: 200, output: 51 } })
})

test('an answer that tells its tokens several times is counted once', () => {
  const meter = createUsageMeter()
  const usage = { input_tokens: 900, cache_read_input_tokens: 100, output_tokens: 1 }
  for (const id of ['m-1', 'm-2']) {
    meter.streamed({ type: 'message_start', message: { id, usage } })
    meter.streamed({ type: 'message_delta', usage: { ...usage, output_tokens: 20 } })
    meter.streamed({ type: 'message_delta', usage: { input_tokens: 0, output_tokens: 50 } })
  }
  const whole = meter.streamed({ type: 'message_delta', usage: { output_tokens: 50 } })
  expect(whole).toMatchObject({ usage: { input: 1800, cacheRead: 200, output: 100 } })
})

test('a limit with a date is a plan that is used up until then', () => {
  const failed = { ...RESULT, is_error: true, api_error_status: 429, result: 'limit' }
  const until = '2026-01-01T00:00:00.000Z'
  const resetsAt = Date.parse(until) / 1000
  expect(failureOf(failed, { error: 'rate_limit', resetsAt })).toMatchObject({
    reason: 'quota',
    until,
  })
  expect(failureOf(failed, { error: 'rate_limit' })).not.toHaveProperty('until')
  expect(failureOf(failed, { error: 'rate_limit' })).toMatchObject({ reason: 'rate_limit' })
})

test('what git is told by configuration starts no program in a run that only reads', () => {
  expect(gitRead('git log -p -1')).toMatch(
    /^git --no-pager .*core\.fsmonitor=false.* log --no-ext-diff --no-textconv -p -1$/,
  )
})
