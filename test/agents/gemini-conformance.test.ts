import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe } from 'vitest'
import { adapterConformance, type Scenario } from '../../adapters/conformance.ts'
import { createGeminiAdapter } from '../../adapters/gemini/gemini-adapter.ts'
import { type ModelServer, startModelServer } from '../model-server/model-server.ts'
import { GEMINI_MODEL, geminiVariables, SLOW_WORDS } from './gemini-stage.ts'
import { installGemini } from './install-gemini.ts'
import { isWholeMatrix } from './whole-matrix.ts'

let model: ModelServer
let gemini: string
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
const STUB = fileURLToPath(new URL('./misbehaving-gemini.mjs', import.meta.url))

// it starts in seconds, so all of it takes over a minute
describe.runIf(isWholeMatrix)('the real Gemini CLI', () => {
  beforeAll(async () => {
    gemini = await installGemini()
    model = await startModelServer()
  }, 600_000)
  afterAll(() => model?.close())

  adapterConformance('gemini', {
    makeAdapter: createGeminiAdapter,
    // what it sets for its shell so that nothing there asks
    sets: /^(?:GEMINI_CLI|GIT_|GH_|GCM_|PAGER$|TERM$|NODE_|SSH_ASKPASS$|DISPLAY$|DBUS_)/,
    play(scenario, { runId, env }) {
      const script = REAL[scenario]
      if (script === undefined) return { binary: STUB, env: { ...env, GEMINI_STUB: scenario } }
      if (scenario === 'slow') model.script(runId, [SLOW_WORDS, { do: 'answer', output: {} }])
      const login = geminiVariables(model.url(script, runId))
      return { binary: gemini, model: GEMINI_MODEL, env: { ...env, ...login } }
    },
  })
})
