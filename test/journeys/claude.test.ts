import { dirname } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installClaude } from '../agents/install.ts'
import { type ModelServer, startModelServer } from '../model-server/model-server.ts'
import { git, type Installation, startInstallation } from '../support/installation.ts'

let model: ModelServer
let at: Installation
beforeAll(async () => {
  const claude = await installClaude()
  model = await startModelServer()
  at = await startInstallation({
    env: {
      PATH: `${dirname(claude)}:${process.env['PATH']}`,
      ANTHROPIC_BASE_URL: model.url('pipeline', 'journey'),
      ANTHROPIC_API_KEY: 'sk-ant-fake-key-of-a-test',
    },
  })
  await at.call('PATCH', '/api/settings', { maxConcurrent: 2, maxPerGoal: 2 })
}, 600_000)
afterAll(async () => {
  await at?.close()
  await model?.close()
})

describe('Claude Code, the real one', () => {
  test('brings a goal from its text to a merge whose tests pass', async () => {
    const { repo, id } = await at.project()
    const goal = await at.goal(id, 'Finish textkit', { profile: 'Default' })
    const done = await at.approveAll(goal.id)
    expect(done).toMatchObject({ status: 'completed', stage: 'merge' })
    expect(git(repo, 'rev-parse', 'main')).toBe(done.mergedCommit)
    expect(git(repo, 'show', 'main:src/slugify.js')).toContain('normalize')
    const charged = model.charged('journey')
    expect(done.usage).toMatchObject(charged)
    expect(done.usage.costUsd).toBeGreaterThan(0)
  })
})
