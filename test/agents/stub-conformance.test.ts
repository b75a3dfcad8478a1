import { fileURLToPath } from 'node:url'
import { createAcpAdapter } from '../../adapters/acp/acp-adapter.ts'
import { createClaudeAdapter } from '../../adapters/claude/claude-adapter.ts'
import { createCodexAdapter } from '../../adapters/codex/codex-adapter.ts'
import { adapterConformance } from '../../adapters/conformance.ts'
import { createGeminiAdapter } from '../../adapters/gemini/gemini-adapter.ts'

const STUB = fileURLToPath(new URL('./agent-stub.mjs', import.meta.url))

/** The same suite for all four, with a stand-in that speaks their wires: here an agent is made to do what no real one would. */
for (const [wire, makeAdapter, sets] of [
  ['claude', createClaudeAdapter, /^(?:CLAUDE|NoDefaultCurrentDirectory)/],
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
