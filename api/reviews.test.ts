import { afterAll, beforeAll, expect, test } from 'vitest'
import { api } from '../contracts/api.ts'
import { specOutput } from '../contracts/outputs.ts'
import { MOST_CHECKED } from '../contracts/schemas.ts'
import { insertGoal, insertReview } from './support/rows.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

let at: TestApi
beforeAll(async () => {
  at = await startTestApi()
})
afterAll(() => at.close())

const decide = (id: string, body: object) => at.call('POST', `/api/reviews/${id}/decision`, body)

test('of 50 people who decide at once one is first, and the others are told who', async () => {
  const goal = await insertGoal(at.database)
  const id = await insertReview(at.database, goal)
  const wanted = Array.from({ length: 50 }, (_, i) => (i % 2 ? 'approve' : 'reject'))
  // some say the same again, some agree in other words
  const comments = wanted.map((decision, i) => (i % 4 < 2 ? decision : `by ${i}`))
  const answers = await Promise.all(
    wanted.map((decision, i) => decide(id, { decision, hash: 'h1', comment: comments[i] })),
  )
  const review = (await at.call('GET', `/api/reviews/${id}`)).body
  const won = review.status === 'approved' ? 'approve' : 'reject'
  for (const [i, answer] of answers.entries()) {
    if (wanted[i] === won && comments[i] === review.comment)
      expect(answer).toMatchObject({ status: 200, body: { comment: review.comment } })
    else {
      expect(answer).toMatchObject({ status: 409, body: { code: 'already_decided' } })
      expect(answer.body.current).toMatchObject({
        decision: won,
        decidedBy: 'person:sam',
        via: 'api',
      })
      expect(answer.body.detail).toContain('sam')
    }
  }
  const events = await at.call('GET', `/api/events?stream=goal/${goal}`)
  expect(events.body.items).toMatchObject([{ type: 'review.decided', data: { decision: won } }])
  const told = await at.database.knex('outbox').where({ workflow_id: `goal/${goal}` })
  expect(told).toMatchObject([{ payload: { signal: 'reviewDecided', args: { reviewId: id } } }])
})

test('what changed since it was seen is not decided', async () => {
  const id = await insertReview(at.database, await insertGoal(at.database), { hash: 'h2' })
  const answer = await decide(id, { decision: 'approve', hash: 'h1' })
  expect(answer).toMatchObject({
    status: 409,
    body: { code: 'stale_hash', current: { hash: 'h2' } },
  })
  expect((await at.call('GET', `/api/reviews/${id}`)).body.status).toBe('pending')
})

test('a block review wants every item checked, but only to approve', async () => {
  const items = [
    { id: 'a', text: 'one', result: 'pass', evidence: null },
    { id: 'b', text: 'two', result: 'unchecked', evidence: null },
  ]
  const columns = { tier: 'block', checklist: JSON.stringify(items) }
  const id = await insertReview(at.database, await insertGoal(at.database), columns)
  const partly = await decide(id, { decision: 'approve', hash: 'h1', checklist: ['a'] })
  expect(partly).toMatchObject({
    status: 409,
    body: { code: 'checklist_incomplete', current: { missing: [{ id: 'b', text: 'two' }] } },
  })
  expect(
    await decide(id, { decision: 'approve', hash: 'h1', checklist: ['a', 'b'] }),
  ).toMatchObject({ status: 200 })
  const other = await insertReview(at.database, await insertGoal(at.database), columns)
  expect(await decide(other, { decision: 'reject', hash: 'h1' })).toMatchObject({ status: 200 })
})

test('a request for more tokens is granted or rejected: there is nothing to change in it', async () => {
  const goal = await insertGoal(at.database)
  const id = await insertReview(at.database, goal, { kind: 'budget' })
  const change = { decision: 'request_changes', hash: 'h1', comment: 'Use less' }
  expect(await decide(id, change)).toMatchObject({
    status: 409,
    body: { code: 'wrong_state', advice: expect.stringMatching(/^Approve to grant more.*reject/) },
  })
  expect(await decide(id, { ...change, decision: 'approve' })).toMatchObject({
    ...{ status: 200, body: { comment: 'Use less' } },
  })
})

const spec = {
  title: 'T',
  summary: 'S',
  requirements: [{ id: 'R1', text: 'r' }],
  acceptance: [{ id: 'A1', text: 'a' }],
  tasks: [{ key: 'main', title: 't', description: 'd', role: 'implement', dependsOn: [] }],
}

test('an edited spec becomes a new approved version of the person', async () => {
  const goal = await insertGoal(at.database)
  const [row] = await at.database
    .knex('specs')
    .insert({
      goal_id: goal,
      role: 'spec',
      version: 1,
      content: JSON.stringify(spec),
      hash: 'h1',
      created_by: 'agent:demo',
    })
    .returning('id')
  const id = await insertReview(at.database, goal, { kind: 'spec', spec_id: row.id })
  const edits = { ...spec, summary: 'better' }
  expect(await decide(id, { decision: 'reject', hash: 'h1', edits })).toMatchObject({ status: 422 })
  const nobody = [{ ...spec.tasks[0], agent: { adapter: 'auto' } }]
  expect(
    await decide(id, { decision: 'approve', hash: 'h1', edits: { ...edits, tasks: nobody } }),
  ).toMatchObject({ status: 422, body: { code: 'bad_setting' } })
  expect(await decide(id, { decision: 'approve', hash: 'h1', edits })).toMatchObject({
    status: 200,
  })
  const specs = await at.database.knex('specs').where({ goal_id: goal }).orderBy('version')
  expect(specs).toMatchObject([
    { version: 1, status: 'superseded' },
    { version: 2, status: 'approved', created_by: 'person:sam', content: { summary: 'better' } },
  ])
  expect((await at.call('GET', `/api/goals/${goal}`)).body.spec).toMatchObject({ version: 2 })
  expect((await at.call('GET', `/api/reviews/${id}`)).body).toMatchObject({
    ...{ edited: true, summary: 'better', spec: { version: 2, content: { summary: 'better' } } },
    previousSpec: { version: 1, content: { summary: 'S' } },
  })
})

test('a decision may be as long as its parts may be, in any script', async () => {
  const text = (length: number) => '€'.repeat(length)
  const ids = Array.from({ length: MOST_CHECKED }, (_, n) => `${n}${text(190)}`)
  const items = ids.map((id) => ({ id, text: id, result: 'pass', evidence: null }))
  const goal = await insertGoal(at.database)
  const columns = { tier: 'block', checklist: JSON.stringify(items) }
  const id = await insertReview(at.database, goal, columns)
  const checked = { decision: 'approve', hash: 'h1', checklist: ids, comment: text(20_000) }
  expect(await decide(id, checked)).toMatchObject({ status: 200 })

  const item = (id: string) => ({ id, text: text(20_000) })
  const task = { ...spec.tasks[0], title: text(500), description: text(20_000) }
  const longest = {
    ...{ title: text(500), summary: text(20_000) },
    requirements: Array.from({ length: 200 }, (_, n) => item(`R${n}`)),
    acceptance: Array.from({ length: 200 }, (_, n) => item(`A${n}`)),
    tasks: Array.from({ length: 50 }, (_, n) => ({ ...task, key: `t${n}` })),
  }
  expect(specOutput.safeParse(longest).success).toBe(true)
  // who escapes it writes six bytes for each three
  expect(2 * Buffer.byteLength(JSON.stringify(longest))).toBeLessThan(api.decideReview.mostBytes)
  const edits = { ...longest, requirements: longest.requirements.slice(0, 3), tasks: spec.tasks }
  const [row] = await at.database
    .knex('specs')
    .insert({
      ...{ goal_id: goal, role: 'spec', version: 1, content: JSON.stringify(spec), hash: 'h1' },
      created_by: 'agent:demo',
    })
    .returning('id')
  const ofSpec = await insertReview(at.database, goal, { kind: 'spec', spec_id: row.id })
  const edited = await decide(ofSpec, { decision: 'approve', hash: 'h1', edits })
  expect({ status: edited.status, code: edited.body.code }).toEqual({ status: 200 })
})

test('a second approval is the first only when it says the same; edits that come late are refused', async () => {
  const goal = await insertGoal(at.database)
  const [row] = await at.database
    .knex('specs')
    .insert({
      ...{ goal_id: goal, role: 'spec', version: 1, hash: 'h1', created_by: 'agent:demo' },
      content: JSON.stringify(spec),
    })
    .returning('id')
  const edits = { ...spec, summary: 'better' }
  const approve = (id: string, more: object) =>
    decide(id, { decision: 'approve', hash: 'h1', ...more })
  const statuses = async (id: string, bodies: object[]) => {
    const answers = []
    for (const body of bodies) answers.push((await approve(id, body)).status)
    return answers
  }
  const plain = await insertReview(at.database, goal, { kind: 'spec', spec_id: row.id })
  expect(await statuses(plain, [{}, {}, { edits }, { comment: 'but' }])).toEqual([
    ...[200, 200, 409, 409],
  ])
  expect((await at.call('GET', `/api/reviews/${plain}`)).body).toMatchObject({
    ...{ edited: false, spec: { version: 1, content: { summary: 'S' } } },
  })
  const edited = await insertReview(at.database, goal, {
    ...{ kind: 'spec', spec_id: row.id, attempt: 2 },
  })
  const other = { ...spec, summary: 'best' }
  expect(await statuses(edited, [{ edits }, { edits }, { edits: other }, {}])).toEqual([
    ...[200, 200, 409, 409],
  ])
  await at.database.knex('reviews').where({ id: plain }).update({ decided_by: 'person:kim' })
  const late = await approve(plain, {})
  expect(late).toMatchObject({ status: 409, body: { code: 'already_decided' } })
  expect(late.body.detail).toContain('approved by kim')
})

test('reviews of a cancelled goal are void', async () => {
  const goal = await insertGoal(at.database)
  const id = await insertReview(at.database, goal)
  await at.call('POST', `/api/goals/${goal}/cancel`)
  const answer = await decide(id, { decision: 'approve', hash: 'h1' })
  expect(answer).toMatchObject({ status: 409, body: { code: 'superseded' } })
})

test('unknown cost stays unknown in sums', async () => {
  const goal = await insertGoal(at.database)
  const run = (segment: number, cost: number | null, [input, output] = [10, 5]) =>
    at.database.knex('agent_runs').insert({
      ...{ goal_id: goal, stage: 'spec', attempt: 1, segment, purpose: 'start', adapter: 'demo' },
      ...{ status: 'done', tokens_in: input, tokens_out: output, cost_usd: cost },
      tokens_reasoning: Math.min(output, 2), // part of the output
    })
  const usage = async () => (await at.call('GET', `/api/goals/${goal}`)).body.usage
  await run(1, 0.5)
  await run(2, null, [0, 0]) // refused: what used nothing costs nothing
  expect(await usage()).toMatchObject({ input: 10, output: 5, total: 15, costUsd: 0.5 })
  await run(3, null)
  expect(await usage()).toMatchObject({ total: 30, costUsd: null })
  const ledger = (await at.call('GET', '/api/ledger?by=adapter')).body
  expect(ledger).toMatchObject({
    items: [{ key: 'demo', usage: { runs: 3 } }],
    total: { total: 30, costUsd: null, knownUsd: 0.5, unpricedRuns: 1 },
  })
})
