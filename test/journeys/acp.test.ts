import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { taggedProcesses } from '../../adapters/process-tree.ts'
import type { Reply } from '../../contracts/api.ts'
import { AGENT_STAGES } from '../../contracts/stages.ts'
import { ACP } from '../agents/drivers.ts'
import { isWholeMatrix } from '../agents/whole-matrix.ts'
import { type ModelServer, startModelServer } from '../model-server/model-server.ts'
import { git, type Installation, startInstallation } from '../support/installation.ts'

const RUN = 'journey'
const ADAPTER = 'acp:claude'
let model: ModelServer
let at: Installation

describe.runIf(isWholeMatrix)('An agent of config.toml that speaks ACP, in a goal', () => {
  beforeAll(async () => {
    const { binary, env = {} } = await ACP.install()
    const { PATH: _, ...own } = env
    model = await startModelServer()
    const login = {
      ...own,
      ANTHROPIC_BASE_URL: model.url('pipeline', RUN),
      ANTHROPIC_API_KEY: 'sk-ant-fake-key-of-a-test',
    }
    const names = JSON.stringify(Object.keys(login))
    at = await startInstallation({
      env: login,
      config: `[acp.claude]\ntitle = "Claude by ACP"\ncommand = "${binary}"\nenv = ${names}\n`,
    })
    await at.call('PATCH', '/api/settings', { maxConcurrent: 2, skipSpecReview: true })
    const stages = Object.fromEntries(AGENT_STAGES.map((stage) => [stage, { adapter: ADAPTER }]))
    const made = await at.call('POST', '/api/profiles', { name: 'ACP', stages })
    expect(made).toMatchObject({ status: 201 })
  }, 600_000)
  afterAll(async () => {
    await at?.close()
    await model?.close()
  })

  test('brings it from its text to a merge whose tests pass, counted to the token', async () => {
    const { repo, id } = await at.project()
    const goal = await at.goal(id, 'Finish textkit', { profile: 'ACP' })
    const done = await at.approveAll(goal.id)
    expect(done).toMatchObject({ status: 'completed', stage: 'merge' })
    expect(git(repo, 'rev-parse', 'main')).toBe(done.mergedCommit)
    expect(git(repo, 'show', 'main:src/slugify.js')).toContain('normalize')
    expect(done.usage).toMatchObject(model.charged(RUN))
    const path = `/api/agents?goal=${goal.id}`
    const { items } = (await at.call<Reply<'listAgents'>>('GET', path)).body
    expect(items.every(({ adapter }) => adapter === ADAPTER)).toBe(true)
    const ids = new Set(items.map((run) => run.id))
    expect(taggedProcesses().filter(({ runId }) => ids.has(runId))).toEqual([])
  })
})
