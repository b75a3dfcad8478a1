import { createAcpAdapter } from '../../adapters/acp/acp-adapter.ts'
import type { Adapter } from '../../adapters/adapter.ts'
import { createClaudeAdapter } from '../../adapters/claude/claude-adapter.ts'
import { createCodexAdapter } from '../../adapters/codex/codex-adapter.ts'
import type { Scenario } from '../../adapters/conformance.ts'
import { createGeminiAdapter } from '../../adapters/gemini/gemini-adapter.ts'
import type { RunSpec } from '../../contracts/agent.ts'
import { writeCodexHome } from './codex-stage.ts'
import { ACP, CLAUDE, CODEX, type Driver, GEMINI } from './drivers.ts'
import { GEMINI_MODEL, geminiVariables } from './gemini-stage.ts'

/** An adapter for `adapters/conformance.ts`, and how the real program behind it is led to a scripted model. */
export interface Seam {
  driver: Driver
  makeAdapter(): Adapter
  /** Names of variables that the agent itself gives to what it starts. */
  sets: RegExp
  /** The parts of a spec that lead the agent to the model at `url`. */
  lead(base: RunSpec, url: string): Partial<RunSpec>
}

const CLAUDE_SETS =
  /^(?:CLAUDE|AI_AGENT$|BUN_ENABLE_CRASH_REPORTING$|COREPACK_|GIT_EDITOR$|SHELL$|NoDefaultCurrentDirectory)/
const leadClaude: Seam['lead'] = ({ env }, url) => ({
  env: { ...env, ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'sk-ant-fake' },
})

export const SEAMS: readonly Seam[] = [
  { driver: CLAUDE, makeAdapter: createClaudeAdapter, sets: CLAUDE_SETS, lead: leadClaude },
  {
    driver: CODEX,
    makeAdapter: createCodexAdapter,
    sets: /^(?:CODEX_|COLORTERM$|NO_COLOR$|TERM$|LANG$|LC_|(?:GH_|GIT_)?PAGER$)/,
    lead({ env }, url) {
      writeCodexHome(env['HOME'] ?? '', url)
      return {}
    },
  },
  {
    driver: GEMINI,
    makeAdapter: createGeminiAdapter,
    // what it sets for its shell so that nothing there asks
    sets: /^(?:GEMINI_CLI|GIT_|GH_|GCM_|PAGER$|TERM$|NODE_|SSH_ASKPASS$|DISPLAY$|DBUS_)/,
    lead: ({ env }, url) => ({ model: GEMINI_MODEL, env: { ...env, ...geminiVariables(url) } }),
  },
  {
    driver: ACP,
    makeAdapter: () => createAcpAdapter('acp', { command: 'claude-agent-acp' }),
    sets: CLAUDE_SETS,
    lead: leadClaude,
  },
]

/** The scenario of the model server by which a real one is made to play. */
export const scriptOf = (scenario: Scenario): string =>
  scenario === 'not-logged-in' ? '401' : scenario

const NEVER_SEEN = 'No real agent is seen to do it: the stand-in does.'
/** What no scripted model makes a real one do. */
export const UNSEEN: Partial<Record<Scenario, string>> = {
  'ignore-signals': NEVER_SEEN,
  crash: NEVER_SEEN,
  'exit-without-result': NEVER_SEEN,
  garbage: NEVER_SEEN,
  'long-line': NEVER_SEEN,
  flood: NEVER_SEEN,
}
