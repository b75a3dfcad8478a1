import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Reply } from '../../contracts/api.ts'
import { formatUsedTokens } from '../../contracts/figures.ts'
import { sameAgent } from '../../contracts/profile.ts'
import { type Installation, startInstallation } from '../support/installation.ts'
import { until } from '../support/until.ts'

const JUDGE = fileURLToPath(new URL('../support/acp-judge.mjs', import.meta.url))
const judge = { adapter: 'acp:judge' }

/** A demo agent and a second one that the person configured. */
let at: Installation
beforeAll(async () => {
  at = await startInstallation({ config: `[acp.judge]\ntitle = "Judge"\ncommand = "${JUDGE}"\n` })
  await at.call('PATCH', '/api/settings', { maxConcurrent: 20, maxPerGoal: 10 })
  const stages = sameAgent({ adapter: 'demo' })
  for (const profile of [
    { name: 'Dual', secondOpinion: judge },
    { name: 'Dual, missing', secondOpinion: { adapter: 'codex' } },
    { name: 'Fallback', fallbacks: [{ adapter: 'codex' }, judge] },
  ])
    expect((await at.call('POST', '/api/profiles', { ...profile, stages })).status).toBe(201)
  const judged = { name: 'Judged', stages: { ...stages, verify: judge } }
  expect((await at.call('POST', '/api/profiles', judged)).status).toBe(201)
  await until(async () => (await judgeFound()) === true, { ms: 20_000, what: 'the judge' })
})
afterAll(() => at.close())

async function judgeFound() {
  const { body } = await at.call<Reply<'listAdapters'>>('GET', '/api/adapters')
  return body.items.find(({ adapter }) => adapter === 'acp:judge')?.found
}

/** A goal that changes nothing but documentation, so that nobody is asked unless somebody doubts. */
async function notes(text: string, profile: string) {
  const { id } = await at.project({ 'README.md': '# x\n' })
  return at.goal(id, `Notes [demo:all=instant] ${text}`, { skipSpecReview: true, profile })
}

async function taskReview(goal: Reply<'getGoal'>) {
  const found = goal.reviews.find(({ kind }) => kind === 'task')
  return (await at.call<Reply<'getReview'>>('GET', `/api/reviews/${found?.id}`)).body
}

const runsOf = (goalId: string, where = {}) =>
  at.database
    .knex('agent_runs')
    .where({ goal_id: goalId, ...where })
    .orderBy('id')

async function promptOf(runId: string): Promise<string> {
  const file = join(at.home, 'dispatch', 'runs', runId, 'spec.json')
  return JSON.parse(readFileSync(file, 'utf8')).prompt
}

describe.concurrent('a second opinion on security', () => {
  test('that disagrees stands beside verify’s and blocks what would have gone on by itself', async () => {
    const goal = await notes('[judge:SEC-2=fail]', 'Dual')
    const asked = await at.until(goal.id, (g) => g.pendingReviews > 0)
    const review = await taskReview(asked)
    expect(review).toMatchObject({ status: 'pending', tier: 'block' })
    expect(review.reason).toBe('acp:judge disagrees with verify on SEC-2')
    expect(review.secondOpinion).toMatchObject({ adapter: 'acp:judge', status: 'given' })
    const item = (id: string) => review.checklist.find((one) => one.id === id)
    expect(item('SEC-1')).toMatchObject({ result: 'pass', second: { disagrees: false } })
    expect(item('SEC-2')).toMatchObject({
      result: 'pass',
      second: { adapter: 'acp:judge', result: 'fail', disagrees: true, file: 'README.md' },
    })
    expect(item('REQ-1')?.second).toBeUndefined()
    expect((await at.approveAll(goal.id)).status).toBe('completed')
    const [first, second] = await runsOf(goal.id, { stage: 'verify' })
    expect([first.adapter, first.opinion, second.adapter, second.opinion]).toEqual([
      ...['demo', 1, 'acp:judge', 2],
    ])
    const prompt = await promptOf(second.id)
    expect(prompt).toContain('second opinion')
    expect(prompt).not.toContain(first.output.output.items[0].evidence)
  })

  test('that agrees lets it go on, and is on record', async () => {
    const goal = await notes('', 'Dual')
    const done = await at.until(goal.id, (g) => g.status === 'completed')
    const review = await taskReview(done)
    expect(review).toMatchObject({ decidedBy: 'policy', secondOpinion: { status: 'given' } })
  })

  test('that nobody can give is said to be missing, with what to do, and blocks', async () => {
    const goal = await notes('', 'Dual, missing')
    const review = await taskReview(await at.until(goal.id, (g) => g.pendingReviews > 0))
    expect(review.tier).toBe('block')
    expect(review.secondOpinion).toMatchObject({ adapter: 'codex', status: 'missing' })
    expect(review.reason).toContain('codex is not installed')
    expect(review.checklist.at(-1)).toMatchObject({ id: 'second-opinion', result: 'unchecked' })
    await at.call('POST', `/api/goals/${goal.id}/cancel`, {})
  })

  test('is not asked for while verify finds problems', async () => {
    const goal = await notes('[demo:verify=reject-once,instant]', 'Dual')
    await at.until(goal.id, (g) => g.status === 'completed')
    const runs = await runsOf(goal.id, { stage: 'verify' })
    expect(runs.map(({ attempt, opinion }) => [attempt, opinion])).toEqual([
      [1, 1],
      [2, 1],
      [2, 2],
    ])
  })
})

describe.concurrent('what a person says to one agent', () => {
  test('reaches the next stage, the second opinion and the other task of the goal', async () => {
    const goal = await notes('[demo:tasks=2] [demo:implement=slow:20]', 'Dual')
    await at.until(goal.id, (g) => g.working.filter((w) => w.stage === 'implement').length === 2)
    const [run, other] = await runsOf(goal.id, { stage: 'implement' })
    const text = 'Mind the typography'
    const made = await at.call('POST', `/api/agents/${run.id}/corrections`, { text })
    expect(made.status).toBe(201)
    expect((await at.approveAll(goal.id)).status).toBe('completed')
    const own = await runsOf(goal.id, { stage: 'verify', task_id: run.task_id })
    expect(own.map(({ opinion }) => opinion)).toEqual([1, 2])
    for (const { id } of own) expect(await promptOf(id)).toContain(`- ${text}\n`)
    const [elsewhere] = await runsOf(goal.id, { stage: 'verify', task_id: other.task_id })
    expect(await promptOf(elsewhere.id)).toMatch(new RegExp(`- ${text} \\(told in T-\\d+, Notes`))
  })

  test('three times becomes a convention by one click, which the next goal and a resumed agent are told', async () => {
    const { id } = await at.project({ 'README.md': '# x\n' })
    const text = 'Notes [demo:all=instant] [demo:spec=slow:20]'
    const goal = await at.goal(id, text, { skipSpecReview: true })
    await at.until(goal.id, (g) => g.working.length === 1)
    const [run] = await runsOf(goal.id)
    for (const say of [
      'Write in British English',
      'write British English!',
      'Please write in british english',
    ])
      await at.call('POST', `/api/agents/${run.id}/corrections`, { text: say })
    const { body } = await at.call<Reply<'listSuggestions'>>(
      'GET',
      `/api/suggestions?project=${id}`,
    )
    const [suggestion] = body.items
    await at.call('POST', `/api/suggestions/${suggestion?.id}/accept`, {
      text: 'Write British English.',
    })
    await at.call('POST', `/api/goals/${goal.id}/pause`, {})
    await at.until(goal.id, (g) => g.stages[0]?.status === 'paused')
    await at.call('POST', `/api/goals/${goal.id}/resume`, {})
    await at.until(goal.id, (g) => g.working.length === 1)
    const resumed = (await runsOf(goal.id)).at(-1)
    const held = 'Set for this project:\n- Write British English.'
    await until(async () => (await promptOf(resumed.id).catch(() => '')) !== '', {
      ms: 20_000,
      what: 'the prompt',
    })
    expect(await promptOf(resumed.id)).toContain(held)
    await at.call('POST', `/api/goals/${goal.id}/cancel`, {})
    const next = await at.goal(id, 'Notes [demo:all=instant]')
    await at.until(next.id, (g) => g.pendingReviews > 0)
    const [first] = await runsOf(next.id)
    expect(await promptOf(first.id)).toContain(held)
    await at.call('POST', `/api/goals/${next.id}/cancel`, {})
  })
})

describe.concurrent('a task', () => {
  test('is written by the agent that its person chose, in the spec or later', async () => {
    const { id } = await at.project({ 'README.md': '# x\n' })
    const goal = await at.goal(id, 'Notes [demo:all=instant]')
    const asked = await at.until(goal.id, (g) => g.pendingReviews > 0)
    const spec = structuredClone(asked.spec?.content) as { tasks: { agent?: object }[] }
    for (const task of spec.tasks) task.agent = judge
    await at.decide(goal.id, 'spec', { edits: spec as never })
    const done = await at.approveAll(goal.id)
    expect(done.tasks.map(({ agent }) => agent)).toEqual([judge])
    const runs = await runsOf(goal.id)
    const of = (stage: string) =>
      runs.filter((run) => run.stage === stage).map((run) => run.adapter)
    expect([of('implement'), of('verify')]).toEqual([['acp:judge'], ['demo']])
    const late = await at.call('PATCH', `/api/tasks/${done.tasks[0]?.id}`, { agent: null })
    expect(late.status).toBe(409)
  })
})

describe('a second opinion', () => {
  test('whose worker is killed is given by the same run', async () => {
    const goal = await notes('[judge:slow=4]', 'Dual')
    const asked = async () => (await runsOf(goal.id, { opinion: 2, status: 'running' })).length > 0
    await until(asked, { ms: 60_000, what: 'the second opinion at work' })
    at.worker.kill('SIGKILL')
    await at.restartWorker()
    const done = await at.until(goal.id, (g) => g.status === 'completed')
    expect((await taskReview(done)).secondOpinion?.status).toBe('given')
    const runs = await runsOf(goal.id, { stage: 'verify' })
    expect(runs.map(({ opinion, status }) => [opinion, status])).toEqual([
      [1, 'done'],
      [2, 'done'],
    ])
  })

  test('of an agent that its provider limits for long is missing, and says until when', async () => {
    const until_at = new Date(Date.now() + 3_600_000).toISOString()
    const earlier = await at.database.knex('agent_runs').first('goal_id')
    await at.database.knex('agent_runs').insert({
      ...{ goal_id: earlier.goal_id, stage: 'audit', attempt: 99, segment: 1, purpose: 'start' },
      ...{ adapter: 'acp:judge', status: 'failed', exit_reason: 'quota', until_at },
      ended_at: at.database.knex.fn.now(),
    })
    const goal = await notes('', 'Dual')
    const review = await taskReview(await at.until(goal.id, (g) => g.pendingReviews > 0))
    expect(review.secondOpinion).toMatchObject({ status: 'missing' })
    expect(review.reason).toContain(`limits acp:judge until ${until_at}`)
    await at.call('POST', `/api/goals/${goal.id}/cancel`, {})
    await at.database.knex('agent_runs').where({ attempt: 99 }).delete()
  })
})

test('an agent that tells no tokens is stopped by a budget all the same, and what it used is unknown, not zero', async () => {
  const { id } = await at.project({ 'README.md': '# x\n' })
  const more = { skipSpecReview: true, profile: 'Judged', tokenBudget: 9000 }
  const goal = await at.goal(id, 'Notes [demo:all=instant] [judge:untold]', more)
  await at.until(goal.id, (g) => g.reviews.some(({ kind }) => kind === 'budget'))
  const [run] = await runsOf(goal.id, { stage: 'verify' })
  expect(run).toMatchObject({ adapter: 'acp:judge', exit_reason: 'budget', budget_stop: 'task' })
  const { body } = await at.call<Reply<'getAgent'>>('GET', `/api/agents/${run.id}`)
  expect(body.usage).toMatchObject({ total: 0, uncountedRuns: 1 })
  expect(body.usage.estimatedTokens).toBeGreaterThan(9000)
  expect(formatUsedTokens(body.usage)).toBe('unknown')
  await at.call('POST', `/api/goals/${goal.id}/cancel`, {})
})

describe('when a provider limits an agent', () => {
  // a goal is read in several questions: one that is parked meanwhile may be read half
  const parked = (g: Reply<'getGoal'>) =>
    g.stages[0]?.status === 'waiting' && g.stages[0].resumesAt !== null && g.reason !== null

  test('another agent of the profile takes over, and no attempt is spent', async () => {
    const goal = await notes('[demo:verify=quota:3600]', 'Fallback')
    const done = await at.until(goal.id, (g) => g.status === 'completed')
    const verify = done.stages.filter(({ stage }) => stage === 'verify')
    expect(verify).toMatchObject([
      {
        ...{ attempt: 1, status: 'passed', reason: null, adapters: ['demo', 'acp:judge'] },
        agentReason: expect.stringMatching(
          /^acp:judge instead of demo, which its provider limits until /,
        ),
      },
    ])
    const runs = await runsOf(goal.id, { stage: 'verify' })
    expect(runs.map(({ adapter, purpose, status }) => [adapter, purpose, status])).toEqual([
      ['demo', 'start', 'failed'],
      ['acp:judge', 'start', 'done'],
    ])
    // the limit holds still: the stage after it begins with the other one at once
    expect((await runsOf(goal.id, { stage: 'audit' })).map(({ adapter }) => adapter)).toEqual([
      'acp:judge',
    ])
  })

  test('without one it waits until the time given, or until a person tries now', async () => {
    const goal = await notes('[demo:spec=rate-limit:3600,instant]', 'Demo')
    const waiting = await at.until(goal.id, parked)
    expect(waiting.reason).toContain('Goes on at')
    expect(Date.parse(waiting.stages[0]?.resumesAt ?? '')).toBeGreaterThan(Date.now() + 3_000_000)
    expect((await at.call('POST', `/api/goals/${goal.id}/retry`, {})).status).toBe(202)
    const done = await at.until(goal.id, (g) => g.status === 'completed')
    expect(done.stages[0]).toMatchObject({ attempt: 1, resumesAt: null, reason: null })
    const runs = await runsOf(goal.id, { stage: 'spec' })
    expect(new Set(runs.map(({ session_id }) => session_id)).size).toBe(1)
  })

  test('a person who gives it another profile has the work begun anew by its agent, which does not get the session', async () => {
    const goal = await notes('[demo:verify=quota:3600]', 'Demo')
    await at.until(goal.id, (g) =>
      g.stages.some(({ stage, resumesAt }) => stage === 'verify' && resumesAt !== null),
    )
    const retry = await at.call('POST', `/api/goals/${goal.id}/retry`, { profile: 'Judged' })
    expect(retry).toMatchObject({ status: 202, body: { profileName: 'Judged' } })
    const done = await at.until(goal.id, (g) => g.status === 'completed')
    expect(done.profile.skipSpecReview).toBe(true)
    const runs = await runsOf(goal.id, { stage: 'verify' })
    expect(runs.map(({ adapter, purpose, status }) => [adapter, purpose, status])).toEqual([
      ['demo', 'start', 'failed'],
      ['acp:judge', 'start', 'done'],
    ])
    expect(runs[1].session_id).not.toBe(runs[0].session_id)
  })

  test('a limit without a time is one too: another agent takes over, and the stages after it leave the limited one alone', async () => {
    const goal = await notes('[demo:verify=quota:unnamed]', 'Fallback')
    const done = await at.until(goal.id, (g) => g.status === 'completed')
    const verify = done.stages.filter(({ stage }) => stage === 'verify')
    expect(verify).toMatchObject([{ attempt: 1, status: 'passed', adapter: 'acp:judge' }])
    const [limited] = await runsOf(goal.id, { stage: 'verify' })
    expect(limited).toMatchObject({ adapter: 'demo', exit_reason: 'quota', until_guessed: true })
    expect((await runsOf(goal.id, { stage: 'audit' })).map(({ adapter }) => adapter)).toEqual([
      'acp:judge',
    ])
  })

  test('without an agent in its place a limit without a time is waited for in minutes, which it says', async () => {
    const goal = await notes('[demo:spec=rate-limit:unnamed,instant]', 'Demo')
    const waiting = await at.until(goal.id, parked)
    expect(waiting.reason).toContain('The agent told no time. Goes on at')
    const seconds = (Date.parse(waiting.stages[0]?.resumesAt ?? '') - Date.now()) / 1000
    expect(seconds).toBeGreaterThan(60)
    await at.call('POST', `/api/goals/${goal.id}/retry`, {})
    const done = await at.until(goal.id, (g) => g.status === 'completed')
    expect(done.stages[0]).toMatchObject({ attempt: 1, resumesAt: null })
  })

  test('try now that meets the same limit waits again; a cancelled goal does not wake', async () => {
    const goal = await notes('[demo:spec=quota:3600]', 'Demo')
    await at.until(goal.id, parked)
    await at.call('POST', `/api/goals/${goal.id}/retry`, {})
    await until(async () => (await runsOf(goal.id)).length === 2, {
      ms: 30_000,
      what: 'the second try',
    })
    await at.until(goal.id, parked)
    await at.call('POST', `/api/goals/${goal.id}/cancel`, { reason: 'enough' })
    const done = await at.until(goal.id, (g) => g.status === 'cancelled')
    expect(done.stages[0]?.resumesAt).toBeNull()
    expect(await runsOf(goal.id)).toHaveLength(2)
  })

  test('whoever does not want to wait is asked at once', async () => {
    await at.call('PATCH', '/api/settings', { waitOnLimits: false })
    const goal = await notes('[demo:spec=quota:3600]', 'Demo')
    const asked = await at.until(goal.id, (g) => g.status === 'needs_attention')
    expect(asked.reason).toContain('Waiting for limits is switched off')
    expect(asked.reason).not.toContain('by itself')
    await at.call('PATCH', '/api/settings', { waitOnLimits: true })
    await at.call('POST', `/api/goals/${goal.id}/cancel`, {})
  })
})
