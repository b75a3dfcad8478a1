import { afterAll, beforeAll, expect, test } from 'vitest'
import { formatUtc } from '../contracts/figures.ts'
import type { AgentRun, StageState } from '../contracts/schemas.ts'
import { stageRows, workedUntil } from '../contracts/stage-rows.ts'
import { storeDetections } from '../db/adapters.ts'
import { endDelay, noteDelay } from '../db/delays.ts'
import { insertGoal, insertReview } from './support/rows.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

let at: TestApi
beforeAll(async () => {
  at = await startTestApi()
})
afterAll(() => at.close())

async function project(name: string) {
  const answer = await at.call('POST', '/api/projects', { path: at.repository, name })
  expect(answer).toMatchObject({ status: 201 })
  return answer.body
}

test.each([
  ['/api/goals/G-9999', 'dispatch goals'],
  ['/api/tasks/T-9999', 'dispatch tasks'],
  ['/api/reviews/R-9999', 'dispatch reviews'],
  ['/api/agents/A-9999/transcript', 'dispatch agents'],
  ['/api/projects/nobody', 'dispatch projects'],
  ['/api/profiles/nobody', 'dispatch profiles'],
])('%s is not there, and what is there says %s', async (path, list) => {
  const { status, body } = await at.call('GET', path)
  expect(status).toBe(404)
  expect(body).toMatchObject({ code: 'not_found', advice: `See which there are: ${list}` })
})

test('a goal of a project that is not there says so in a way of its own', async () => {
  const filed = (body: object) => at.call('POST', '/api/goals', { description: 'Do it', ...body })
  const { status, body } = await filed({ project: '/nowhere' })
  expect({ status, code: body.code }).toEqual({ status: 404, code: 'project_unknown' })
  await project('known')
  expect((await filed({ project: 'known', profile: 'project' })).body.code).toBe('not_found')
  await at.call('DELETE', '/api/projects/known')
})

test('a project is found by its path, however long, as by its id', async () => {
  const { id } = await project('deep')
  const path = `/srv/${'deep/'.repeat(60)}shop`
  await at.database.knex('projects').where({ id }).update({ path })
  const place = `/api/projects/${encodeURIComponent(path)}`
  expect((await at.call('PATCH', place, { trusted: false })).body).toMatchObject({ id, path })
  expect(await at.call('DELETE', place)).toMatchObject({ status: 200, body: { id } })
})

test('a repository that is registered again is the same project, and what it has otherwise than is asked for is told', async () => {
  const { id, shortId } = await project('shop')
  const again = (more: object) =>
    at.call('POST', '/api/projects', { path: `${at.repository}/`, ...more })
  for (const more of [{}, { name: 'shop', trusted: true, checks: [], network: 'agent' }])
    expect(await again(more)).toMatchObject({ status: 201, body: { id, trusted: true } })
  const detail = `That repository is ${shortId} (shop) already, and differs in: trust, network. Nothing was changed.`
  expect(await again({ trusted: false, network: 'none', defaultBranch: 'main' })).toMatchObject({
    ...{ status: 409, body: { code: 'project_exists', detail } },
  })
  expect((await again({})).body).toMatchObject({ trusted: true, network: 'agent' })
  await at.call('DELETE', `/api/projects/${id}`)
})

test('a goal of a project that is not trusted is refused with the command that trusts it', async () => {
  const { id, shortId } = await project('doubted')
  await at.call('PATCH', `/api/projects/${id}`, { trusted: false })
  const { body } = await at.call('POST', '/api/goals', { project: 'doubted', description: 'x' })
  expect(body).toMatchObject({
    ...{ code: 'not_trusted', advice: expect.stringContaining(`projects trust ${shortId}`) },
  })
  await at.call('DELETE', '/api/projects/doubted')
})

test('a goal is filed with its profile, its first event and the message that starts it', async () => {
  const shop = await project('shop')
  const filed = await at.call('POST', '/api/goals', {
    project: 'shop',
    description: 'Add a search box\nwith hints',
    profile: 'Demo',
  })
  expect(filed.status).toBe(202)
  expect(filed.body).toMatchObject({
    ...{ title: 'Add a search box', status: 'active', stage: 'spec', profileName: 'Demo' },
    ...{ projectId: shop.id, targetBranch: 'main', usage: { total: 0, costUsd: 0 } },
  })
  const { shortId, id } = filed.body
  const goal = await at.call('GET', `/api/goals/${shortId.toLowerCase()}`)
  expect(goal.body.stages.map((stage: { stage: string }) => stage.stage)).toHaveLength(9)
  const events = await at.call('GET', `/api/events?stream=goal/${shortId}`)
  expect(events.body.items).toMatchObject([
    { type: 'goal.created', seq: 1, actor: 'person:sam', stream: `goal/${id}` },
  ])
  const outbox = await at.database.knex('outbox')
  expect(outbox).toMatchObject([{ kind: 'start_goal', workflow_id: `goal/${id}`, done_at: null }])
})

test('a title that is given in several lines is one', async () => {
  const { id } = await project('shop')
  const body = { project: id, description: 'x', title: ' Import\r\n\nof invoices\u2028' }
  const filed = await at.call('POST', '/api/goals', body)
  expect(filed.body.title).toBe('Import of invoices')
})

test('a message that Temporal has not taken for seconds makes it not ready, and is why its goal stands still, until it is taken', async () => {
  const { id } = await project('shop')
  const goal = (await at.call('POST', '/api/goals', { project: id, description: 'x' })).body
  const message = () => at.database.knex('outbox').where({ workflow_id: `goal/${goal.id}` })
  const ready = async () => (await at.call('GET', '/ready')).body
  const shown = async () => (await at.call('GET', `/api/goals/${goal.id}`)).body.reason
  expect(await shown()).toBeNull()
  const since = new Date(Date.now() - 11_000).toISOString()
  await message().update({ created_at: since, last_error: 'no such attribute' })
  const undelivered = { messages: 1, since, error: 'no such attribute' }
  expect(await ready()).toMatchObject({ status: 'degraded', undelivered })
  expect(await shown()).toContain(`since ${formatUtc(new Date(since))} Temporal has not taken`)
  const { items } = (await at.call('GET', '/api/goals?state=open')).body
  expect(items.find((item: { id: string }) => item.id === goal.id).reason).toBe(await shown())
  await message().update({ done_at: since })
  expect(await ready()).toMatchObject({ undelivered: null })
  expect(await shown()).toBeNull()
})

test('work that is tried again and again is why its goal stands still, since when and what ends it, until it succeeds', async () => {
  const { id } = await project('shop')
  const goal = (await at.call('POST', '/api/goals', { project: id, description: 'x' })).body
  const shown = async () => (await at.call('GET', `/api/goals/${goal.id}`)).body.reason
  const work = { goalId: goal.id, work: 'mergeGoal' }
  await noteDelay(at.database, work, 'EMFILE: too many open files')
  const delays = () => at.database.knex('delays').where({ goal_id: goal.id })
  const since = new Date(Date.now() - 600_000)
  await delays().update({ since })
  await noteDelay(at.database, work, 'ENOMEM: not enough memory')
  expect(await shown()).toBe(
    `since ${formatUtc(since)} Dispatch could not merge it (ENOMEM: not enough memory): it is tried again every 10 seconds, and the goal goes on then`,
  )
  // one that nobody tries any more says nothing
  await delays().update({ tried_at: new Date(Date.now() - 90_000) })
  expect(await shown()).toBeNull()
  await noteDelay(at.database, work, 'EMFILE')
  expect(await shown()).toMatch(/EMFILE/)
  expect(await shown()).not.toContain(formatUtc(since))
  await endDelay(at.database, work)
  expect(await shown()).toBeNull()
  // and where a person had it go another way, it is not tried any more
  await noteDelay(at.database, work, 'EMFILE')
  await at.call('POST', `/api/goals/${goal.id}/cancel`, { reason: 'no' })
  expect(await shown()).toBe('ending: no')
})

test('a profile that leaves agents to Auto Model gets those that fit and are there, with the reason', async () => {
  await project('shop')
  const file = () =>
    at.call('POST', '/api/goals', { project: 'shop', description: 'Refactor it', profile: 'Auto' })
  expect(await file()).toMatchObject({ status: 409, body: { code: 'no_agent' } })
  const found = { found: true, login: 'ready', demo: false } as const
  await storeDetections(at.database, [
    { adapter: 'claude', title: 'Claude Code', ...found },
    { adapter: 'codex', title: 'Codex', ...found, login: 'needed' },
  ])
  const goal = await at.call('GET', `/api/goals/${(await file()).body.id}`)
  expect(goal.body.profile.stages).toMatchObject({
    spec: {
      adapter: 'claude',
      reason: 'Claude Code: the stage is spec; codex is not logged in.',
    },
    implement: { adapter: 'claude', reason: expect.stringContaining('code ("refactor")') },
  })
  await at.call('PATCH', '/api/settings', { autoModel: false })
  expect(await file()).toMatchObject({ status: 409, body: { code: 'auto_model_off' } })
  await at.call('PATCH', '/api/settings', { autoModel: true })
})

test('a goal that nobody can work on is not taken, whoever chooses the agents, and it is said how to install one', async () => {
  await project('shop')
  const missing = { found: false, login: 'unknown', demo: false } as const
  await storeDetections(at.database, [
    { adapter: 'claude', title: 'Claude Code', ...missing, advice: 'Install it: npm i claude' },
    { adapter: 'codex', title: 'Codex', ...missing, advice: 'Install it: npm i codex' },
    { adapter: 'gemini', title: 'Gemini CLI', ...missing },
    { adapter: 'demo', title: 'Demo', ...missing, found: true, demo: true },
  ])
  const file = (profile: string) =>
    at.call('POST', '/api/goals', { project: 'shop', description: 'Refactor it', profile })
  for (const profile of ['Default', 'Auto'])
    expect(await file(profile)).toMatchObject({
      status: 409,
      body: {
        code: 'no_agent',
        advice: expect.stringContaining('Claude Code: npm i claude; Codex: npm i codex'),
      },
    })
  const { stages } = (await at.call('GET', '/api/profiles/Demo')).body
  const alone = { name: 'Alone', stages: { ...stages } }
  for (const stage of Object.keys(stages)) alone.stages[stage] = { adapter: 'codex' }
  await at.call('POST', '/api/profiles', alone)
  expect((await file('Alone')).body.advice).toMatch(/try again\. Codex: npm i codex$/)
  expect((await file('Demo')).status).toBe(202)
  await storeDetections(at.database, [
    { adapter: 'codex', title: 'Codex', ...missing, found: true },
  ])
  expect((await file('Default')).status).toBe(202)
})

test('Auto Model goes round an agent that its provider limits, and spares tokens where few are left', async () => {
  await project('shop')
  const found = { found: true, login: 'ready', demo: false } as const
  await storeDetections(at.database, [
    { adapter: 'claude', title: 'Claude Code', ...found },
    { adapter: 'codex', title: 'Codex', ...found },
  ])
  const verifierOf = async (body: object) => {
    const filed = { project: 'shop', description: 'Refactor it', profile: 'Auto', ...body }
    const { id } = (await at.call('POST', '/api/goals', filed)).body
    return (await at.call('GET', `/api/goals/${id}`)).body.profile.stages.verify
  }
  const plain = { adapter: 'claude', reason: 'Claude Code: the stage is verify.' }
  expect(await verifierOf({})).toEqual(plain)
  expect(await verifierOf({ goalBudget: 100_000 })).toEqual({
    ...{ adapter: 'claude', model: 'haiku' },
    reason: "Claude Code: the stage is verify; the goal's budget of 100k tokens is small.",
  })

  const goal = await insertGoal(at.database, 'Invoices')
  const run = (segment: number, columns: object) =>
    at.database.knex('agent_runs').insert({
      ...{ goal_id: goal, stage: 'spec', attempt: 1, segment, purpose: 'start', adapter: 'claude' },
      ...{ ended_at: at.database.knex.fn.now(), ...columns },
    })
  await run(1, { status: 'done', tokens_in: 900_000 })
  await at.call('PATCH', '/api/settings', { dayBudget: 1_000_000 })
  expect(await verifierOf({})).toMatchObject({
    ...{ adapter: 'claude', model: 'haiku' },
    reason: "Claude Code: the stage is verify; little of the day's budget of 1.0M tokens is left.",
  })
  await at.call('PATCH', '/api/settings', { dayBudget: 0 })

  await run(2, { status: 'failed', exit_reason: 'quota', until_at: '2199-01-02T03:04:00Z' })
  expect(await verifierOf({})).toEqual({
    adapter: 'codex',
    reason: 'Codex: the stage is verify; claude is limited until 2199-01-02 03:04 UTC.',
  })
  await at.database.knex('agent_runs').delete()
})

test('a stage tells which agents worked on it and how long, not whose turn it was and how long a person was waited for', async () => {
  const goalId = await insertGoal(at.database)
  const { knex } = at.database
  const second = (n: number) => new Date(Date.UTC(2026, 4, 1, 12, 0, n)).toISOString()
  const stage = { goal_id: goalId, stage: 'test_spec' }
  const passed = { ...stage, status: 'passed', adapter: 'claude', agent_reason: 'codex instead' }
  await knex('stage_attempts').insert([
    { ...passed, attempt: 1, started_at: second(0), ended_at: second(2000) },
    { ...passed, attempt: 2, started_at: second(2000), ended_at: second(2020) },
  ])
  const run = {
    ...stage,
    purpose: 'start',
    attempt: 1,
    adapter: 'codex',
    status: 'done',
    tokens_in: 3000,
  }
  await knex('agent_runs').insert([
    { ...run, adapter: 'claude', segment: 1, status: 'failed', tokens_in: 0 },
    { ...run, segment: 2, started_at: second(2), ended_at: second(20) },
    { ...run, segment: 1, attempt: 2, started_at: second(2000), ended_at: second(2019) },
    {
      ...run,
      tokens_in: 0,
      segment: 2,
      attempt: 2,
      started_at: second(2019),
      ended_at: second(2010),
    }, // the clock was set back
  ])
  const { body } = await at.call('GET', `/api/goals/${goalId}`)
  const states = body.stages.filter((one: StageState) => one.stage === 'test_spec')
  expect(states).toMatchObject([
    { adapters: ['codex'], workedMs: 18_000, workingSince: null },
    { adapters: ['codex'], workedMs: 19_000 },
  ])
  const row = stageRows(body).find((one) => one.stage === 'test_spec')
  expect(row).toMatchObject({ adapters: ['codex'], reason: 'codex instead', used: { total: 6000 } })
  expect(row && workedUntil(row.worked, Date.now())).toBe(37_000)

  // as of a machine that was away in the middle of it
  const days = (n: number) => new Date(Date.UTC(2026, 4, 1 + n)).toISOString()
  await knex('stage_attempts').insert({ ...passed, attempt: 3 })
  await knex('agent_runs').insert({
    ...{ ...run, segment: 1, attempt: 3, started_at: days(0), ended_at: days(30) },
  })
  const { status, body: away } = await at.call('GET', `/api/goals/${goalId}`)
  expect({ status, worked: away.stages?.at(3).workedMs }).toEqual({
    ...{ status: 200, worked: 30 * 86_400_000 },
  })
})

test('the last words of a run are words, also where its answer is JSON', async () => {
  const goalId = await insertGoal(at.database)
  const answer = { checks: ['Search the diff'] }
  const run = { goal_id: goalId, attempt: 1, segment: 1, purpose: 'start', adapter: 'codex' }
  const done = { ...run, status: 'done', last_line: '"check":"Search the diff' }
  const said = (output: object) => JSON.stringify({ text: JSON.stringify(output), output })
  await at.database.knex('agent_runs').insert([
    { ...done, stage: 'security_spec', output: said(answer) },
    { ...done, stage: 'implement', output: said({ summary: 'Slugs are made.', files: [] }) },
    { ...done, stage: 'verify', output: JSON.stringify({ text: 'All is well.\n' }) },
  ])
  const { body } = await at.call('GET', `/api/agents?goal=${goalId}`)
  expect(body.items.map(({ lastLine }: AgentRun) => lastLine).reverse()).toEqual([
    'Answered with its security items.',
    'Slugs are made.',
    'All is well.',
  ])
})

test('runs are found by what is said of them, whatever page they are on', async () => {
  const goalId = await insertGoal(at.database, 'Find the needle')
  const run = { goal_id: goalId, attempt: 1, purpose: 'start', adapter: 'codex', status: 'done' }
  await at.database.knex('agent_runs').insert([
    { ...run, segment: 1, stage: 'test_spec', last_line: 'Looked into 50% of it' },
    { ...run, segment: 2, stage: 'implement', output: JSON.stringify({ text: 'All is well.' }) },
  ])
  const found = async (words: string) => {
    const { body } = await at.call('GET', `/api/agents?words=${encodeURIComponent(words)}`)
    return body.items.map(({ stage }: AgentRun) => stage)
  }
  expect(await found('NEEDLE find')).toEqual(['implement', 'test_spec'])
  expect(await found('needle test spec')).toEqual(['test_spec'])
  expect(await found('50% needle')).toEqual(['test_spec'])
  expect(await found('all is well needle')).toEqual(['implement'])
  const { body } = await at.call('GET', `/api/agents?goal=${goalId}&limit=1`)
  expect(await found(`${body.items[0].shortId} codex`)).toEqual(['implement'])
})

test('a target branch that is not there is named, and nothing is filed', async () => {
  await project('shop')
  const answer = await at.call('POST', '/api/goals', {
    ...{ project: at.repository, description: 'x', targetBranch: 'release' },
  })
  expect(answer).toMatchObject({ status: 422, body: { code: 'target_missing' } })
  expect(answer.body.advice).toContain('git branch release')
})

test('pause, resume, retry and cancel tell the workflow once and say no when it is too late', async () => {
  const before = await at.database.knex('outbox').max({ id: 'id' }).first()
  const { id } = (await at.call('POST', '/api/goals', { project: 'shop', description: 'y' })).body
  const act = (verb: string, body = {}) => at.call('POST', `/api/goals/${id}/${verb}`, body)
  const reason = expect.stringMatching(/^paused by \w+ since \d{4}-\d\d-\d\d \d\d:\d\d UTC$/)
  expect(await act('pause')).toMatchObject({ status: 202, body: { status: 'paused', reason } })
  expect(await act('pause')).toMatchObject({ status: 202, body: { status: 'paused', reason } })
  expect(await act('retry')).toMatchObject({ status: 409, body: { code: 'wrong_state' } })
  expect(await act('resume')).toMatchObject({ status: 202, body: { status: 'active' } })
  expect(await act('resume')).toMatchObject({ status: 202, body: { status: 'active' } })
  await at.database.knex('goals').where({ id }).update({ status: 'needs_attention' })
  expect(await act('pause')).toMatchObject({
    body: { status: 'needs_attention', paused: true },
  })
  await act('resume')
  await at.database.knex('goals').where({ id }).update({ status: 'needs_attention' })
  expect(await act('retry')).toMatchObject({
    status: 202,
    body: { status: 'active', paused: false },
  })
  expect(await act('cancel', { reason: 'changed my mind' })).toMatchObject({
    body: { reason: 'ending: changed my mind' },
  })
  await act('cancel') // as often as a person likes: the workflow may be where it could not go on
  const told = await at.database
    .knex('outbox')
    .where('id', '>', before?.['id'] ?? 0)
    .where({ kind: 'signal' })
    .orderBy('id')
    .pluck('payload')
  expect(told).toEqual([
    { signal: 'setPaused', args: { paused: true } },
    { signal: 'setPaused', args: { paused: false } },
    { signal: 'setPaused', args: { paused: true } },
    { signal: 'setPaused', args: { paused: false } },
    { signal: 'retryStage', args: { key: expect.any(String) } },
    { signal: 'cancelGoal', args: { reason: 'changed my mind' } },
    { signal: 'retryStage', args: { key: expect.any(String) } },
  ])
  await at.database.knex('goals').where({ id }).update({ status: 'completed', paused: false })
  expect(await act('resume')).toMatchObject({ status: 409, body: { code: 'wrong_state' } })
})

test('a goal that waits for a review says so again when it is resumed, or goes on elsewhere', async () => {
  const id = await insertGoal(at.database)
  await insertReview(at.database, id, { title: 'The spec' })
  const act = (verb: string) => at.call('POST', `/api/goals/${id}/${verb}`, {})
  const waits = { body: { status: 'active', reason: 'waits for a review: The spec' } }
  await act('pause')
  expect(await act('resume')).toMatchObject(waits)
  await at.database.knex('goals').where({ id }).update({ status: 'needs_attention' })
  expect(await act('retry')).toMatchObject(waits)
})

test('a goal that is ending is not paused, and says so while it is, also when it was paused before', async () => {
  await project('shop')
  const { id } = (await at.call('POST', '/api/goals', { project: 'shop', description: 'y' })).body
  const act = (verb: string, body = {}) => at.call('POST', `/api/goals/${id}/${verb}`, body)
  await act('pause')
  await act('cancel', { reason: 'changed my mind' })
  expect(await act('resume')).toMatchObject({
    body: { status: 'active', paused: false, reason: 'ending: changed my mind' },
  })
  expect(await act('pause')).toMatchObject({ status: 409, body: { code: 'wrong_state' } })
})

test('a goal goes on with the agents of another profile: at a retry, or when it is resumed', async () => {
  await project('shop')
  await storeDetections(at.database, [
    { adapter: 'claude', title: 'Claude Code', found: true, login: 'ready', demo: false },
  ])
  const filed = { project: 'shop', description: 'z', profile: 'Demo', tokenBudget: 7000 }
  const { id } = (await at.call('POST', '/api/goals', filed)).body
  const act = (verb: string, body = {}) => at.call('POST', `/api/goals/${id}/${verb}`, body)
  const profileNow = async () => (await at.call('GET', `/api/goals/${id}`)).body.profile
  expect((await act('retry', { profile: 'Nobody' })).body.code).toBe('not_found')
  await at.call('PATCH', '/api/settings', { autoModel: false })
  expect((await act('retry', { profile: 'Auto' })).body.code).toBe('auto_model_off')
  expect(await profileNow()).toMatchObject({ name: 'Demo' })
  await at.call('PATCH', '/api/settings', { autoModel: true })
  expect(await act('retry', { profile: 'Auto' })).toMatchObject({ body: { profileName: 'Auto' } })
  expect(await profileNow()).toMatchObject({
    ...{ name: 'Auto', tokenBudget: 7000, since: expect.any(String) },
    stages: { verify: { adapter: 'claude', reason: expect.stringContaining('Claude Code: ') } },
  })
  await act('pause')
  expect(await act('resume', { profile: 'Demo' })).toMatchObject({
    body: { status: 'active', profileName: 'Demo' },
  })
  const told = at.database.knex('outbox').where({ workflow_id: `goal/${id}`, kind: 'signal' })
  const demo = { adapters: expect.objectContaining({ verify: 'demo' }) }
  expect((await told.orderBy('id').pluck('payload')).slice(-2)).toEqual([
    { signal: 'setAdapters', args: demo },
    { signal: 'setPaused', args: { paused: false } },
  ])
  const events = (await at.call('GET', `/api/events?stream=goal/${id}`)).body.items
  const changes = events.filter(({ type }: { type: string }) => type === 'goal.profile')
  expect(changes.map(({ data }: { data: { profile: string } }) => data.profile)).toEqual([
    ...['Auto', 'Demo'],
  ])
})

test('a repeated create gets the first answer; the same key with another body is refused', async () => {
  await project('shop')
  const body = { project: 'shop', description: 'once' }
  const headers = { 'idempotency-key': 'k1' }
  const [first, ...others] = await Promise.all(
    Array.from({ length: 8 }, () => at.call('POST', '/api/goals', body, headers)),
  )
  const answers = [first, ...others].filter((answer) => answer?.status === 202)
  expect(new Set(answers.map((answer) => answer?.body.id)).size).toBe(1)
  for (const answer of [first, ...others])
    if (answer?.status !== 202)
      expect(answer).toMatchObject({ status: 409, body: { code: 'in_flight' } })
  const again = await at.call('POST', '/api/goals', body, headers)
  expect(again.body.id).toBe(answers[0]?.body.id)
  const other = await at.call('POST', '/api/goals', { ...body, title: 'other' }, headers)
  expect(other).toMatchObject({ status: 422, body: { code: 'key_reused' } })
  const long = await at.call('POST', '/api/goals', body, { 'idempotency-key': 'k'.repeat(300) })
  expect(long).toMatchObject({ status: 400, body: { code: 'bad_idempotency_key' } })
})

test('lists are paged without a hole or a repeat', async () => {
  await project('shop')
  for (const n of [1, 2, 3, 4, 5])
    await at.call('POST', '/api/goals', { project: 'shop', description: `page ${n}` })
  const all = (await at.call('GET', '/api/goals?limit=200')).body.items
  const seen: string[] = []
  for (let cursor = ''; ; ) {
    const page = (await at.call('GET', `/api/goals?limit=2${cursor}`)).body
    seen.push(...page.items.map((goal: { id: string }) => goal.id))
    if (page.next === null) break
    cursor = `&cursor=${page.next}`
  }
  expect(seen).toEqual(all.map((goal: { id: string }) => goal.id))
  const bad = await at.call('GET', '/api/goals?cursor=bm9uc2Vuc2U')
  expect(bad).toMatchObject({ status: 422, body: { code: 'bad_cursor' } })
})

test('goals are found by words of their title and by their id, whatever page they are on', async () => {
  for (const title of ['Reset the Password', '50% off_now', 'a password'])
    await insertGoal(at.database, title)
  const found = async (words: string) => {
    const { items } = (await at.call('GET', `/api/goals?words=${encodeURIComponent(words)}`)).body
    return items.map(({ title }: { title: string }) => title)
  }
  expect(await found(' password RESET')).toEqual(['Reset the Password'])
  expect(await found('0% off_')).toEqual(['50% off_now'])
  expect(await found('%')).toEqual(['50% off_now'])
  const { items } = (await at.call('GET', '/api/goals?words=a%20password')).body
  const [{ shortId }] = items
  expect(await found(`${shortId.toLowerCase()} pass`)).toEqual(['a password'])
})

test('a project with goals at work cannot be forgotten', async () => {
  const shop = await project('shop')
  await at.call('POST', '/api/goals', { project: 'shop', description: 'z' })
  const answer = await at.call('DELETE', `/api/projects/${shop.shortId}`)
  expect(answer).toMatchObject({ status: 409, body: { code: 'in_use' } })
  expect(answer.body.current.goals.length).toBeGreaterThan(0)
})
