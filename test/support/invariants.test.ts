import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { homePaths } from '../../config/home.ts'
import { type Installation, startInstallation } from './installation.ts'
import { brokenInvariants, type Checked } from './invariants.ts'
import { makeSampleRepository } from './own-stack.ts'
import { until } from './until.ts'

let at: Installation
beforeAll(async () => {
  at = await startInstallation()
})
afterAll(() => at.close())

/** A goal that went well, and everything that the checker reads. */
async function completedGoal(): Promise<Checked> {
  const repository = makeSampleRepository(join(at.home, 'person'))
  const project = await at.call<{ id: string }>('POST', '/api/projects', { path: repository.path })
  const goal = await at.goal(project.body.id, 'Finish textkit [demo:all=instant] [demo:tasks=1]')
  await at.approveAll(goal.id)
  const { database } = at
  const home = homePaths(join(at.home, 'dispatch'))
  const checked = {
    home,
    database,
    temporalAddress: inject('temporalAddress'),
    repository,
    goalId: goal.id,
  }
  await until(async () => (await brokenInvariants(checked)).length === 0, {
    ms: 20_000,
    what: 'quiet',
  }).catch(() => undefined)
  return checked
}

test('the checker finds nothing wrong with a goal that went well, and names each thing that is spoilt', async () => {
  const checked = await completedGoal()
  const { home, goalId, repository } = checked
  const { knex } = at.database
  expect(await brokenInvariants(checked)).toEqual([])
  const broken = async () => (await brokenInvariants(checked)).join('\n')

  writeFileSync(join(repository.path, repository.edited.file), 'lost')
  expect(await broken()).toContain('the edit that was not committed changed')
  writeFileSync(join(repository.path, repository.edited.file), repository.edited.content)

  const sessions = join(home.agents, 'demo', 'sessions')
  const session = join(sessions, readdirSync(sessions)[0] as string)
  const before = readFileSync(session, 'utf8')
  const { starts, ...rest } = JSON.parse(before)
  writeFileSync(session, JSON.stringify({ ...rest, starts: starts + 1 }))
  expect(await broken()).toMatch(/was started 2 times by 1 runs/)
  writeFileSync(session, before)

  const run = await knex('agent_runs').where({ goal_id: goalId }).first()
  await knex('transcripts').where({ run_id: run.id, seq: 2 }).delete()
  expect(await broken()).toMatch(/is not 1\.\.n/)

  await knex('events')
    .where({ stream: `goal/${goalId}`, seq: 3 })
    .delete()
  expect(await broken()).toMatch(/stream goal\/.* has \d+ events from 1 to \d+/)

  await knex('run_leases').where({ goal_id: goalId }).limit(1).update({ state: 'held' })
  expect(await broken()).toContain('leases are left')

  repository.git('commit', '-q', '--allow-empty', '-m', 'again', '-m', `Dispatch-Goal: G-1`)
  expect(await broken()).toMatch(/2 merges of G-1 on the target/)
}, 90_000)
