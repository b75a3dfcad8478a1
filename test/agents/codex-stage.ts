import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunSpec } from '../../contracts/agent.ts'
import type { ModelServer } from '../model-server/model-server.ts'
import { type Stage, setStage } from './play.ts'

export type More = Partial<RunSpec> & { config?: string }

/** A run of the real Codex with its own built-in provider, led to the scripted model, and with a login of its own. */
export function setCodexStage(
  model: ModelServer,
  scenario: string,
  { config = '', ...more }: More & { binary: string },
): Stage {
  const stage = setStage(model, scenario, { adapter: 'codex', outputSchema: ANSWER, ...more })
  writeCodexHome(stage.spec.env['HOME'] ?? '', model.url(scenario, stage.spec.runId), config)
  return stage
}

/** Strict as it stands, so that the model is really asked for it. */
const ANSWER = {
  type: 'object',
  properties: { answer: { type: 'number' }, remark: { type: 'string' } },
  required: ['answer'],
  additionalProperties: false,
}

/** `home`: the run's HOME. `url`: of the scripted model. */
export function writeCodexHome(home: string, url: string, config = ''): void {
  const folder = join(home, '.codex')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'auth.json'), JSON.stringify({ OPENAI_API_KEY: 'sk-fake' }))
  const settings = [`openai_base_url = "${url}/v1"`, 'model = "gpt-5.5"', ...SWITCHED_ON, config]
  writeFileSync(join(folder, 'config.toml'), settings.join('\n'))
}

/** What a person may have for their own sessions, and no run of Dispatch has. */
const SWITCHED_ON = ['goals', 'memories', 'multi_agent_v2'].map((name) => `features.${name} = true`)
