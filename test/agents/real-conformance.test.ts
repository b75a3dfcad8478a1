import { afterAll, beforeAll, describe } from 'vitest'
import { adapterConformance } from '../../adapters/conformance.ts'
import { type ModelServer, startModelServer } from '../model-server/model-server.ts'
import type { Installed } from './drivers.ts'
import { SEAMS, type Seam, scriptOf, UNSEEN } from './seams.ts'
import { isWholeMatrix } from './whole-matrix.ts'

let model: ModelServer
describe.runIf(isWholeMatrix)('With the real program', () => {
  beforeAll(async () => {
    model = await startModelServer()
  })
  afterAll(() => model?.close())

  for (const seam of SEAMS) conformanceOf(seam)
})

function conformanceOf({ driver, makeAdapter, sets, lead }: Seam): void {
  let installed: Installed
  beforeAll(async () => {
    installed = await driver.install()
  }, 600_000)
  adapterConformance(driver.name, {
    ...{ makeAdapter, sets, cannot: UNSEEN },
    play(scenario, base) {
      const led = lead(base, model.url(scriptOf(scenario), base.runId))
      const env = { ...base.env, ...led.env, ...installed.env }
      return { binary: installed.binary, ...led, env }
    },
  })
}
