import { afterAll, beforeAll, describe } from 'vitest'
import { createAcpAdapter } from '../../adapters/acp/acp-adapter.ts'
import { createClaudeAdapter } from '../../adapters/claude/claude-adapter.ts'
import { createCodexAdapter } from '../../adapters/codex/codex-adapter.ts'
import { adapterConformance, type Scenario } from '../../adapters/conformance.ts'
import { createGeminiAdapter } from '../../adapters/gemini/gemini-adapter.ts'
import type { RunSpec } from '../../contracts/agent.ts'
import { type ModelServer, startModelServer } from '../model-server/model-server.ts'
import { writeCodexHome } from './codex-stage.ts'
import { ACP, CLAUDE, CODEX, type Driver, GEMINI, type Installed } from './drivers.ts'
import { GEMINI_MODEL, geminiVariables, SLOW_WORDS } from './gemini-stage.ts'
import { isWholeMatrix } from './whole-matrix.ts'

/** What a real one does when its model is scripted so; the rest is played by a stand-in (stub-conformance.test.ts). */
const SCRIPTS: Partial<Record<Scenario, string>> = {
  answer: 'answer',
  'write-file': 'write-file',
  slow: 'slow',
  hang: 'hang',
  'leave-child': 'leave-child',
  environment: 'environment',
  'not-logged-in': '401',
}
const CLAUDE_SETS = /^(?:CLAUDE|AI_AGENT$|COREPACK_|GIT_EDITOR$|SHELL$|NoDefaultCurrentDirectory)/

let model: ModelServer
describe.runIf(isWholeMatrix)('With the real program', () => {
  beforeAll(async () => {
    model = await startModelServer()
  })
  afterAll(() => model?.close())

  conformanceOf(CLAUDE, {
    makeAdapter: createClaudeAdapter,
    sets: CLAUDE_SETS,
    lead: ({ env }, url) => ({ env: anthropicTo(url, env) }),
  })
  conformanceOf(CODEX, {
    makeAdapter: createCodexAdapter,
    sets: /^(?:CODEX_|COLORTERM$|NO_COLOR$|TERM$|LANG$|LC_|(?:GH_|GIT_)?PAGER$)/,
    lead({ env }, url) {
      writeCodexHome(env['HOME'] ?? '', url)
      return {}
    },
  })
  conformanceOf(GEMINI, {
    makeAdapter: createGeminiAdapter,
    // what it sets for its shell so that nothing there asks
    sets: /^(?:GEMINI_CLI|GIT_|GH_|GCM_|PAGER$|TERM$|NODE_|SSH_ASKPASS$|DISPLAY$|DBUS_)/,
    lead({ runId, env }, url) {
      if (url.includes('/slow/')) model.script(runId, [SLOW_WORDS, { do: 'answer', output: {} }])
      return { model: GEMINI_MODEL, env: { ...env, ...geminiVariables(url) } }
    },
  })
  conformanceOf(ACP, {
    makeAdapter: () => createAcpAdapter('acp', { command: 'claude-agent-acp' }),
    sets: CLAUDE_SETS,
    lead: ({ env }, url) => ({ env: anthropicTo(url, env) }),
  })
})

const anthropicTo = (url: string, env: RunSpec['env']) => ({
  ...env,
  ANTHROPIC_BASE_URL: url,
  ANTHROPIC_API_KEY: 'sk-ant-fake',
})

interface Conformance {
  makeAdapter: typeof createClaudeAdapter
  sets: RegExp
  /** The parts of a spec that lead the agent to the scripted model. */
  lead(base: RunSpec, url: string): Partial<RunSpec>
}

function conformanceOf(driver: Driver, { makeAdapter, sets, lead }: Conformance): void {
  let installed: Installed
  beforeAll(async () => {
    installed = await driver.install()
  }, 600_000)
  adapterConformance(driver.name, {
    ...{ makeAdapter, sets, scenarios: Object.keys(SCRIPTS) as Scenario[] },
    play(scenario, base) {
      const led = lead(base, model.url(SCRIPTS[scenario] ?? '', base.runId))
      const env = { ...base.env, ...led.env, ...installed.env }
      return { binary: installed.binary, ...led, env }
    },
  })
}
