import { readFileSync } from 'node:fs'
import type { PromptResponse, SessionUpdate } from '@agentclientprotocol/sdk'
import { describe, expect, test } from 'vitest'
import type { AgentEvent } from '../contracts/agent.ts'
import { failureOf as acpFailure } from './acp/failures.ts'
import { createTranslator as acpTranslator, usageOf as acpUsage } from './acp/translator.ts'
import { createTranslator as claudeTranslator } from './claude/translator.ts'
import type { ClaudeMessage } from './claude/wire.ts'
import { failureOf as codexFailure } from './codex/failures.ts'
import { createTranslator as codexTranslator } from './codex/translator.ts'
import type { Notification } from './codex/wire.ts'
import { failureOf as geminiFailure } from './gemini/failures.ts'
import {
  createTranslator as geminiTranslator,
  usageOf as geminiUsage,
} from './gemini/translator.ts'
import type { GeminiMessage } from './gemini/wire.ts'

/** What the real programs printed while the scripted model played with them (test/agents/record.ts). */
const linesOf = (agent: string, recording: string): Record<string, unknown>[] =>
  readFileSync(new URL(`./${agent}/recordings/${recording}.jsonl`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter((line) => !('exit' in line))

const CWD = '/home/person/project'

/** Each turns a recording into events; how the end of a run is found is its session's business, which real programs show. */
const REPLAYS: Readonly<Record<string, (recording: string) => AgentEvent[]>> = {
  claude(recording) {
    const translator = claudeTranslator({
      cwd: CWD,
      structured: false,
      onLifecycle: () => undefined,
    })
    return linesOf('claude', recording).flatMap((line) =>
      translator.read(line as unknown as ClaudeMessage),
    )
  },
  codex(recording) {
    const translator = codexTranslator('/home/user/project')
    const all = linesOf('codex', recording).filter(
      ({ method }) => method,
    ) as unknown as Notification[]
    const [turn] = all.flatMap((each) =>
      each.method === 'turn/completed' ? [each.params.turn] : [],
    )
    translator.turnStarted(turn?.id ?? '')
    const events = all.flatMap((each) => translator.read(each))
    return turn?.error ? [...events, codexFailure(turn.error, undefined)] : events
  },
  gemini(recording) {
    const translator = geminiTranslator(CWD)
    return (linesOf('gemini', recording) as unknown as GeminiMessage[]).flatMap((line) => {
      const { events, result } = translator.read(line)
      if (!result) return events
      const usage: AgentEvent = { type: 'usage', usage: geminiUsage(result.stats) }
      const message = result.error?.message
      if (message === undefined) return [...events, usage]
      const exit = { code: 1, signal: null }
      return [...events, usage, geminiFailure({ message, exit, stderr: [] })]
    })
  },
  acp(recording) {
    const translator = acpTranslator(CWD)
    return linesOf('acp', recording).flatMap(({ method, params, result, error }): AgentEvent[] => {
      if (method === 'session/update')
        return translator.read((params as { update: SessionUpdate }).update)
      if (error) return [acpFailure(error)]
      const usage = result ? acpUsage(result as PromptResponse) : undefined
      return usage ? [{ type: 'usage', usage }] : []
    })
  },
}

describe.each(Object.entries(REPLAYS))('Recordings of %s', (agent, replay) => {
  const of = <T extends AgentEvent['type']>(events: AgentEvent[], type: T) =>
    events.filter((event): event is AgentEvent & { type: T } => event.type === type)

  test('a written file: the words, the tool and its result, the file, the tokens', () => {
    const events = replay('write-file')
    expect(of(events, 'text').length).toBeGreaterThan(2)
    const calls = of(events, 'tool').map(({ callId }) => callId)
    expect(calls.length).toBe(1)
    expect(of(events, 'tool')[0]?.input).toContain('hello.txt')
    expect(of(events, 'tool_result')).toMatchObject([{ callId: calls[0], ok: true }])
    expect(of(events, 'file')).toEqual([{ type: 'file', path: 'hello.txt', change: 'create' }])
    expect(of(events, 'usage').at(-1)?.usage).toMatchObject({ input: 2400, cacheRead: 1600 })
    expect(of(events, 'failed')).toEqual([])
  })

  test('a refused key is auth', () => {
    const events = replay('refused-key')
    expect(of(events, 'failed')[0]).toMatchObject({ reason: 'auth' })
  })

  test('a provider that fails is overloaded', () => {
    const events = replay('provider-fails')
    // Codex is stopped by its session after some tries
    const told = [...of(events, 'failed'), ...of(events, 'retry')]
    expect(told.map(({ reason }) => reason)).toContain('overloaded')
    expect(of(events, 'file')).toEqual([])
    expect(agent === 'codex' || of(events, 'failed').length > 0).toBe(true)
  })
})
