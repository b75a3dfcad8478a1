import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAcpAdapter } from '../../adapters/acp/acp-adapter.ts'
import { createClaudeAdapter } from '../../adapters/claude/claude-adapter.ts'
import { createCodexAdapter } from '../../adapters/codex/codex-adapter.ts'
import { adapterConformance } from '../../adapters/conformance.ts'
import { createGeminiAdapter } from '../../adapters/gemini/gemini-adapter.ts'
import { openSession } from '../../adapters/registry.ts'
import type { AgentEvent } from '../../contracts/agent.ts'
import { type ModelServer, startModelServer } from '../model-server/model-server.ts'
import { of, setStage } from './play.ts'

const STUB = fileURLToPath(new URL('./agent-stub.mjs', import.meta.url))

/** The same suite for all four, with a stand-in that speaks their wires: here an agent is made to do what no real one would. */
for (const [wire, makeAdapter, sets] of [
  [
    'claude',
    createClaudeAdapter,
    /^(?:CLAUDE|BUN_ENABLE_CRASH_REPORTING$|NoDefaultCurrentDirectory)/,
  ],
  ['codex', createCodexAdapter, undefined],
  ['gemini', createGeminiAdapter, /^GEMINI_CLI_/],
  ['acp', () => createAcpAdapter('acp', { command: STUB }), undefined],
] as const)
  adapterConformance(wire, {
    makeAdapter,
    ...(sets ? { sets } : {}),
    play: (scenario, { env }) => ({
      binary: STUB,
      env: { ...env, AGENT_STUB: `${wire}:${scenario}` },
    }),
  })

let model: ModelServer
beforeAll(async () => {
  model = await startModelServer()
})
afterAll(() => model?.close())

test.each(['claude', 'codex', 'gemini', 'acp'])(
  '%s is ended when it makes the same call over and over',
  async (wire) => {
    const acp = { adapter: 'acp:stub', acp: { command: STUB } }
    const agent = wire === 'acp' ? acp : { adapter: wire }
    const at = setStage(model, 'answer', { binary: STUB, ...agent })
    at.spec.env['AGENT_STUB'] = `${wire}:loop`
    const played = await at.play()
    expect(played.terminal).toMatchObject({ type: 'failed', reason: 'loop' })
    expect(played.terminal).toHaveProperty('detail', expect.stringContaining('10 times in a row'))
    expect(of(played, 'tool_result').length).toBeLessThan(100)
    expect(at.processes()).toEqual([])
    at.remove()
  },
)

test('a Claude Code that tells of no messages ends with its answer, whatever came before it began', async () => {
  const at = setStage(model, 'answer', { binary: STUB, adapter: 'claude' })
  at.spec.env['AGENT_STUB'] = 'claude:tells-no-messages'
  const session = await openSession(at.spec, { signal: at.killer.signal })
  session.correct({ id: 'c-1', text: 'Use tabs.' })
  let last: AgentEvent | undefined
  for await (const event of session.events) last = event
  expect(last).toMatchObject({ type: 'done' })
  at.remove()
})
