import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll } from 'vitest'
import { createClaudeAdapter } from '../../adapters/claude/claude-adapter.ts'
import { adapterConformance, type Scenario } from '../../adapters/conformance.ts'
import { type ModelServer, startModelServer } from '../model-server/model-server.ts'
import { installClaude } from './install.ts'

let model: ModelServer
let claude: string
beforeAll(async () => {
  claude = await installClaude()
  model = await startModelServer()
}, 600_000)
afterAll(() => model?.close())

/** What the real one does when its model is scripted so; for the rest a program that misbehaves on purpose stands in. */
const REAL: Partial<Record<Scenario, string>> = {
  answer: 'answer',
  'write-file': 'write-file',
  slow: 'slow',
  hang: 'hang',
  'leave-child': 'leave-child',
  environment: 'environment',
  'not-logged-in': '401',
}
const STUB = fileURLToPath(new URL('./misbehaving-claude.mjs', import.meta.url))

adapterConformance('claude', {
  makeAdapter: createClaudeAdapter,
  sets: /^(?:CLAUDE|AI_AGENT$|COREPACK_|GIT_EDITOR$|SHELL$|NoDefaultCurrentDirectory)/,
  play(scenario, { runId, env }) {
    const script = REAL[scenario]
    if (script === undefined) return { binary: STUB, env: { ...env, CLAUDE_STUB: scenario } }
    const ANTHROPIC_BASE_URL = model.url(script, runId)
    return { binary: claude, env: { ...env, ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY: 'sk-ant-fake' } }
  },
})
