import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient } from '../client/client.ts'
import type { StoredEvent } from '../contracts/events.ts'
import { storeDetections } from '../db/adapters.ts'
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
  const made = {
    ...{ name: 'Mine', stages, secondOpinion: codex, fallbacks: [{ adapter: 'auto' }] },
    network: 'agent',
  }
  const { status, headers, body: mine } = await at.call('POST', '/api/profiles', made)
  expect({ status, location: headers.location }).toEqual({
    ...{ status: 201, location: `/api/profiles/${mine.id}` },
  })
  const body = { project: 'shop', description: 'Do it', profile: 'Mine' }
  const filed = await at.call('POST', '/api/goals', body)
  expect(filed.status).toBe(202)
  const other = { ...stages, verify: { adapter: 'gemini' } }
  const change = { stages: other, secondOpinion: null, fallbacks: [], network: null }
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

test('every change of a profile is told to all pages', async () => {
  const told = async () =>
    (await at.call('GET', '/api/events?stream=system')).body.items.filter(
      (event: StoredEvent) =>
        event.type === 'settings.changed' && event.data.keys.includes('profiles'),
    ).length
  const before = await told()
  const { stages } = (await at.call('GET', '/api/profiles/Demo')).body
  await at.call('POST', '/api/profiles', { name: 'Told', stages })
  expect(await told()).toBe(before + 1)
  await at.call('PATCH', '/api/profiles/Told', { conventions: 'Use tabs.' })
  expect(await told()).toBe(before + 2)
  await at.call('DELETE', '/api/profiles/Told')
  expect(await told()).toBe(before + 3)
})

test('a change made from what is no longer there is refused, and undoes nothing', async () => {
  const client = createClient({ baseUrl: `http://127.0.0.1:${at.api.port}` })
  const params = { id: 'Demo' }
  const seen = await client.call('getProfile', { params })
  await client.call('updateProfile', { params, body: { conventions: 'Accepted elsewhere.' } })
  const body = { conventions: 'Written here.' }
  const late = client.call('updateProfile', { params, body }, { seen })
  await expect(late).rejects.toMatchObject({ problem: { status: 412, code: 'changed_meanwhile' } })
  const now = await client.call('getProfile', { params })
  expect(now.conventions).toBe('Accepted elsewhere.')
  expect(await client.call('updateProfile', { params, body }, { seen: now })).toMatchObject(body)

  const { headers: ofProject } = await at.call('GET', '/api/projects/shop')
  const convene = () =>
    at.call(
      'PATCH',
      '/api/projects/shop',
      { conventions: 'Use tabs.' },
      { 'if-match': ofProject['etag'] },
    )
  expect((await convene()).status).toBe(200)
  expect((await convene()).status).toBe(412)

  const { headers } = await at.call('GET', '/api/settings')
  const match = { 'if-match': headers['etag'] }
  const change = (maxVerifyRounds: number) =>
    at.call('PATCH', '/api/settings', { maxVerifyRounds }, match)
  expect((await change(3)).status).toBe(200)
  expect((await change(4)).status).toBe(412)
})

test('an agent that Dispatch cannot drive is refused with those it can; one that is not installed is not', async () => {
  const detection = { title: 'x', found: false, login: 'unknown', demo: false } as const
  await storeDetections(at.database, [
    { adapter: 'codex', ...detection },
    { adapter: 'demo', ...detection },
  ])
  const set = (body: object) => at.call('PATCH', '/api/profiles/Mine', body)
  for (const body of [
    { stages: { verify: { adapter: 'banana' } } },
    { secondOpinion: { adapter: 'banana' } },
    { fallbacks: [{ adapter: 'codex' }, { adapter: 'banana' }] },
  ])
    expect(await set(body)).toMatchObject({
      status: 422,
      body: { code: 'bad_setting', advice: expect.stringContaining('There are codex, demo') },
    })
  for (const adapter of ['codex', 'auto', 'acp:mine'])
    expect((await set({ stages: { verify: { adapter, model: 'any' } } })).status).toBe(200)
})

test('of those that are given the same name at once one gets it', async () => {
  const { stages } = (await at.call('GET', '/api/profiles/Demo')).body
  const names = ['one', 'two', 'three', 'four']
  for (const name of names) await at.call('POST', '/api/profiles', { name, stages })
  const answers = await Promise.all(
    names.map((name) => at.call('PATCH', `/api/profiles/${name}`, { name: 'same' })),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409])
})

test('who deletes, changes or names a profile while it is deleted is told that it is gone', async () => {
  const { stages } = (await at.call('GET', '/api/profiles/Demo')).body
  await at.call('POST', '/api/projects', { path: at.repository, name: 'shop' })
  for (let round = 0; round < 5; round += 1) {
    await at.call('POST', '/api/profiles', { name: 'gone', stages })
    const answers = await Promise.all([
      at.call('DELETE', '/api/profiles/gone'),
      at.call('DELETE', '/api/profiles/gone'),
      at.call('PATCH', '/api/profiles/gone', { conventions: 'x' }),
      at.call('PATCH', '/api/projects/shop', { profile: 'gone' }),
    ])
    for (const { status } of answers) expect([200, 404, 409]).toContain(status)
    await at.call('PATCH', '/api/projects/shop', { profile: null })
    await at.call('DELETE', '/api/profiles/gone')
  }
})

test('a profile that is built in cannot be deleted or renamed: goals count on it, and the next start would bring it back', async () => {
  for (const name of ['Default', 'Auto', 'Demo']) {
    const refused = {
      ...{ status: 409, body: { code: 'in_use', detail: expect.stringContaining(name) } },
    }
    const address = `/api/profiles/${name}`
    expect(await at.call('DELETE', address)).toMatchObject(refused)
    expect(await at.call('PATCH', address, { name: 'Mine too' })).toMatchObject(refused)
    expect((await at.call('PATCH', address, { name })).status).toBe(200)
  }
})

test('the profile of the demo agent costs nothing: no other agent gets into it', async () => {
  const set = (body: object) => at.call('PATCH', '/api/profiles/Demo', body)
  for (const body of [
    { stages: { implement: { adapter: 'codex' } } },
    { secondOpinion: { adapter: 'auto' } },
    { fallbacks: [{ adapter: 'codex' }] },
  ])
    expect(await set(body)).toMatchObject({
      status: 409,
      body: { code: 'in_use', advice: expect.stringContaining('another profile') },
    })
  const own = { stages: { implement: { adapter: 'demo' } }, secondOpinion: null, fallbacks: [] }
  expect((await set(own)).status).toBe(200)
})
