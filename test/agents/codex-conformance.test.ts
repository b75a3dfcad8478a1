import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll } from 'vitest'
import { createCodexAdapter } from '../../adapters/codex/codex-adapter.ts'
import { adapterConformance, type Scenario } from '../../adapters/conformance.ts'
import { type ModelServer, startModelServer } from '../model-server/model-server.ts'
import { writeCodexHome } from './codex-stage.ts'
import { installCodex } from './install-codex.ts'

let model: ModelServer
let codex: string
beforeAll(async () => {
  codex = await installCodex()
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
const STUB = fileURLToPath(new URL('./misbehaving-codex.mjs', import.meta.url))

adapterConformance('codex', {
  makeAdapter: createCodexAdapter,
  sets: /^(?:CODEX_|COLORTERM$|NO_COLOR$|TERM$|LANG$|LC_|(?:GH_|GIT_)?PAGER$)/,
  play(scenario, { runId, env }) {
    const script = REAL[scenario]
    if (script === undefined) return { binary: STUB, env: { ...env, CODEX_STUB: scenario } }
    writeCodexHome(env['HOME'] ?? '', model.url(script, runId))
    return { binary: codex }
  },
})
