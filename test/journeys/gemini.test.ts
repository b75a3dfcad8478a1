import { dirname } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AGENT_STAGES } from '../../contracts/stages.ts'
import { GEMINI_MODEL, geminiVariables } from '../agents/gemini-stage.ts'
import { installGemini } from '../agents/install-gemini.ts'
import { isWholeMatrix } from '../agents/whole-matrix.ts'
import { type ModelServer, startModelServer } from '../model-server/model-server.ts'
import { git, type Installation, startInstallation } from '../support/installation.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const RUN = 'journey'
let model: ModelServer
let at: Installation
let home: ReturnType<typeof temporaryFolder> | undefined

describe.runIf(isWholeMatrix)('Gemini CLI, the real one, in a goal', () => {
  beforeAll(async () => {
    const gemini = await installGemini()
    home = temporaryFolder('dispatch-gemini-')
    model = await startModelServer()
    at = await startInstallation({
      env: {
        PATH: `${dirname(gemini)}:${process.env['PATH']}`,
        GEMINI_CLI_HOME: home.path,
        ...geminiVariables(model.url('pipeline', RUN)),
      },
    })
    await at.call('PATCH', '/api/settings', { maxConcurrent: 2, skipSpecReview: true })
    const agent = { adapter: 'gemini', model: GEMINI_MODEL }
    const stages = Object.fromEntries(AGENT_STAGES.map((stage) => [stage, agent]))
    const made = await at.call('POST', '/api/profiles', { name: 'Gemini', stages })
    expect(made.status).toBe(201)
  }, 600_000)
  afterAll(async () => {
    await at?.close()
    await model?.close()
    home?.remove()
  })

  test('brings it from its text to a merge whose tests pass, counted to the token', async () => {
    const { repo, id } = await at.project()
    const goal = await at.goal(id, 'Finish textkit', { profile: 'Gemini' })
    const done = await at.approveAll(goal.id)
    expect(done).toMatchObject({ status: 'completed', stage: 'merge' })
    expect(git(repo, 'rev-parse', 'main')).toBe(done.mergedCommit)
    expect(git(repo, 'show', 'main:src/slugify.js')).toContain('normalize')
    const { input, output, cacheRead } = model.charged(RUN)
    expect(done.usage).toMatchObject({ input, output, cacheRead })
  })
})
