import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { AgentEvent } from '../contracts/agent.ts'
import { openSession } from './registry.ts'

const SAYS = `const say = (...all) => all.forEach((each) => console.log(JSON.stringify(each)))
const hear = (take) => require('readline').createInterface({ input: process.stdin }).on('line', (line) => take(line))`

/** Programs that speak like these agents, but for a message or two. */
const AGENTS = {
  claude: `hear((line) => {
    const { type, request_id } = JSON.parse(line)
    if (type === 'control_request')
      return say({ type: 'control_response', response: { subtype: 'success', request_id, response: {} } })
    say({ type: 'system', subtype: 'init', session_id: 's', model: 'm' }, { type: 'rate_limit_event' })
    say({ type: 'assistant', message: { id: 'm', content: 'as a text' } })
    say({ type: 'result', subtype: 'success', is_error: false, result: '{"answer":42}' })
  })`,
  codex: `hear((line) => {
    const { id, method } = JSON.parse(line)
    const results = { initialize: { userAgent: 'codex/0.169.0' }, 'config/read': { config: {} }, 'thread/start': { thread: { id: 't' } }, 'turn/start': { turn: { id: 'u' } } }
    if (id !== undefined) say({ id, result: results[method] ?? {} })
    if (method !== 'turn/start') return
    say({ method: 'item/started' }, { method: 'item/completed', params: { threadId: 't', item: { id: 'i', type: 'fileChange' } } })
    say({ method: 'error', params: { threadId: 't', willRetry: true } })
    say({ method: 'item/completed', params: { threadId: 't', item: { id: 'j', type: 'agentMessage', text: '{"answer":42}' } } })
    say({ method: 'turn/completed', params: { threadId: 't', turn: { id: 'u', status: 'completed' } } })
  })`,
  gemini: `process.stdin.resume().on('end', () => {
    say({ type: 'error', severity: 'warning' }, { type: 'tool_use', tool_name: 'glob', tool_id: 't', parameters: null })
    say({ type: 'message', role: 'assistant', content: '{"answer":42}' }, { type: 'result', status: 'success' })
  })`,
}

test.each(Object.entries(AGENTS))(
  'what %s says in another way than it did is kept, and its answer counts',
  async (adapter, script) => {
    const home = mkdtempSync(join(tmpdir(), 'dispatch-odd-'))
    onTestFinished(() => rmSync(home, { recursive: true }))
    const binary = join(home, 'agent')
    writeFileSync(binary, `#!/usr/bin/env node\n${SAYS}\n${script}`)
    chmodSync(binary, 0o755)
    const PATH = `${dirname(process.execPath)}:/usr/bin:/bin`
    const session = await openSession(
      {
        ...{ adapter, runId: 'r-1', cwd: home, prompt: 'Answer.', access: 'write', binary },
        ...{ newSessionId: 's-1234567', silenceSeconds: 20, leaseSeconds: 60 },
        ...{ outputSchema: { type: 'object' }, env: { PATH, HOME: home, TMPDIR: home } },
      },
      { signal: new AbortController().signal },
    )
    const events: AgentEvent[] = []
    for await (const event of session.events) events.push(event)
    expect(events.at(-1)).toMatchObject({ type: 'done', output: { answer: 42 } })
    const notices = events.flatMap((event) => (event.type === 'notice' ? [event.text] : []))
    expect(notices.filter((text) => text.startsWith('Not understood: {'))).not.toEqual([])
  },
)
