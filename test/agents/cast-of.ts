import { afterAll, beforeAll } from 'vitest'
import type { RunSpec } from '../../contracts/agent.ts'
import { type ModelServer, startModelServer } from '../model-server/model-server.ts'
import type { Driver, Installed } from './drivers.ts'
import type { Stage } from './play.ts'

/** What the tests of one file play with; there from the first test on. */
export interface Cast {
  readonly model: ModelServer
  /** The real program. */
  readonly binary: string
  /** A run of the real program with the scripted model. `config`: more of Codex's config.toml. */
  stage(scenario: string, more?: Partial<RunSpec> & { config?: string }): Stage
}

/** Has the agent installed and a scripted model started before the tests of a file, and ends all that was staged after them. */
export function castOf(driver: Driver): Cast {
  let model: ModelServer | undefined
  let installed: Installed | undefined
  const stages: Stage[] = []
  beforeAll(async () => {
    installed = await driver.install()
    model = await startModelServer()
  }, 600_000)
  afterAll(async () => {
    for (const each of stages) each.remove()
    await model?.close()
  })
  const there = <T>(made: T | undefined): T => {
    if (made === undefined) throw new Error('asked for before the tests began')
    return made
  }
  return {
    get model() {
      return there(model)
    },
    get binary() {
      return there(installed).binary
    },
    stage(scenario, more = {}) {
      const { binary, env } = there(installed)
      const made = driver.stage(there(model), scenario, { binary, ...more })
      Object.assign(made.spec.env, env)
      stages.push(made)
      return made
    },
  }
}
