import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import type { AgentEvent } from '../contracts/agent.ts'
import { openSession } from './registry.ts'

test.each(['demo', 'claude', 'codex', 'gemini'])(
  'a program of %s that the system does not take is told as how its run ended',
  async (adapter) => {
    const session = await openSession(
      {
        ...{ adapter, runId: 'r-1', cwd: tmpdir(), prompt: 'Answer.', access: 'write' },
        ...{ newSessionId: 's-1234567', silenceSeconds: 60, leaseSeconds: 60 },
        // no program can be given such a variable
        ...{ binary: '/bin/true', env: { TMPDIR: tmpdir(), BROKEN: 'a\0b' } },
      },
      { signal: new AbortController().signal },
    )
    const events: AgentEvent[] = []
    for await (const event of session.events) events.push(event)
    expect(events.at(-1)).toMatchObject({ type: 'failed', reason: 'crash' })
    expect(events.at(-1)).toHaveProperty('detail', expect.stringContaining('null bytes'))
  },
)
