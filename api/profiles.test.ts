import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApi, type TestApi } from './support/test-api.ts'

let at: TestApi
beforeAll(async () => {
  at = await startTestApi()
})
afterAll(() => at.close())

test('a goal keeps who does what of its profile as it was when it was filed', async () => {
  await at.call('POST', '/api/projects', { path: at.repository })
  const { stages } = (await at.call('GET', '/api/profiles/Demo')).body
  const codex = { adapter: 'codex', model: 'gpt-5' }
  const made = { name: 'Mine', stages, secondOpinion: codex, fallbacks: [{ adapter: 'auto' }] }
  expect((await at.call('POST', '/api/profiles', made)).status).toBe(201)
  const body = { project: 'shop', description: 'Do it', profile: 'Mine' }
  const filed = await at.call('POST', '/api/goals', body)
  expect(filed.status).toBe(202)
  const other = { ...stages, verify: { adapter: 'gemini' } }
  const change = { stages: other, secondOpinion: null, fallbacks: [] }
  expect((await at.call('PATCH', '/api/profiles/Mine', change)).body).toMatchObject(change)
  const { profile } = (await at.call('GET', `/api/goals/${filed.body.id}`)).body
  expect(profile).toMatchObject({ ...made, stages })
})

test('who writes a task can be said until the task is over, by name only', async () => {
  const goals = (await at.call('GET', '/api/goals')).body.items
  const [task] = await at.database
    .knex('tasks')
    .insert({
      ...{ goal_id: goals[0].id, key: 't1', title: 't', description: 't', role: 'implement' },
    })
    .returning('id')
  const path = `/api/tasks/${task.id}`
  const agent = { adapter: 'codex', model: 'gpt-5' }
  expect((await at.call('PATCH', path, { agent })).body.agent).toEqual(agent)
  expect((await at.call('PATCH', path, { agent: null })).body.agent).toBeNull()
  const auto = await at.call('PATCH', path, { agent: { adapter: 'auto' } })
  expect(auto).toMatchObject({ status: 422, body: { code: 'bad_setting' } })
  await at.database.knex('tasks').where({ id: task.id }).update({ status: 'integrated' })
  expect((await at.call('PATCH', path, { agent })).status).toBe(409)
})
