import type { RunSpec } from '../../contracts/agent.ts'
import type { ModelServer } from '../model-server/model-server.ts'
import { type Stage, setStage } from './play.ts'

/** A run of the real Gemini CLI, led to the scripted model, with a login of its own. */
export function setGeminiStage(
  model: ModelServer,
  scenario: string,
  more: Partial<RunSpec> & { binary: string },
): Stage {
  // one model for everything: without it a smaller one is asked first which to take
  const stage = setStage(model, scenario, { adapter: 'gemini', model: GEMINI_MODEL, ...more })
  Object.assign(stage.spec.env, geminiVariables(model.url(scenario, stage.spec.runId)))
  return stage
}

export const GEMINI_MODEL = 'gemini-2.5-pro'

/** `url`: of the scripted model. */
export const geminiVariables = (url: string) => ({
  GEMINI_API_KEY: 'fake-key-of-a-test',
  GOOGLE_GEMINI_BASE_URL: url,
})
