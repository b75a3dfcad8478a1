import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { goalWorkflowId, taskKey, taskWorkflowId } from '../../contracts/ids.ts'
import { git, type Installation, startInstallation } from '../support/installation.ts'
import { atThisPace } from '../support/pace.ts'
import { until } from '../support/until.ts'

let at: Installation
beforeAll(async () => {
  at = await startInstallation()
  await at.call('PATCH', '/api/settings', { maxConcurrent: 20, maxPerGoal: 10 })
})
afterAll(() => at.close())

const worktreesOf = (projectId: string) => join(at.home, 'dispatch', 'worktrees', projectId)
const claimsOf = (projectId: string) =>
  readdirSync(worktreesOf(projectId)).filter((name) => name.endsWith('.claim.json'))

/** Where the agent of a task works. */
function worktreeOf(projectId: string, taskId: string): string {
  const folder = worktreesOf(projectId)
  const claim = claimsOf(projectId).find((name) =>
    readFileSync(join(folder, name), 'utf8').includes(taskKey(taskId)),
  )
  return join(folder, claim?.replace('.claim.json', '') ?? 'none')
}

describe.concurrent('a goal', () => {
  test("goes from its text to a merge whose tests pass, and leaves the person's edits alone", async () => {
    const { repo, id } = await at.project()
    writeFileSync(join(repo, 'mine.txt'), 'not committed\n')
    const goal = await at.goal(id, 'Finish textkit [demo:all=instant]')
    const done = await at.approveAll(goal.id)
    expect(done).toMatchObject({ status: 'completed', stage: 'merge' })
    expect(git(repo, 'rev-parse', 'main')).toBe(done.mergedCommit)
    expect(git(repo, 'log', '-1', '--format=%(trailers:key=Dispatch-Goal,valueonly)')).toBe(
      done.shortId,
    )
    expect(git(repo, 'log', '--format=%s', 'main^1..main^2').split('\n')).toHaveLength(
      done.tasks.length,
    )
    expect(readFileSync(join(repo, 'mine.txt'), 'utf8')).toBe('not committed\n')
    expect(git(repo, 'status', '--porcelain')).toBe('?? mine.txt')
    for (const stage of [
      'spec',
      'test_spec',
      'security_spec',
      'implement',
      'verify',
      'review',
      'audit',
      'merge',
    ])
      expect(
        done.stages.filter((s) => s.stage === stage).every((s) => s.status === 'passed'),
        stage,
      ).toBe(true)
    expect(done.stages.find((s) => s.stage === 'frontend')?.status).toBe('skipped')
    expect(done.usage.total).toBeGreaterThan(0)
  })

  test('a frontend task goes through the frontend stage', async () => {
    const { id } = await at.project()
    const goal = await at.goal(id, 'Show it [demo:all=instant] [demo:tasks=1] [demo:frontend]')
    const done = await at.approveAll(goal.id)
    expect(done.status).toBe('completed')
    expect(done.stages.filter((s) => s.stage === 'frontend').map((s) => s.status)).toContain(
      'passed',
    )
  })

  test('request changes starts the next attempt with the comment; an edited spec is what is built', async () => {
    const { id } = await at.project()
    const goal = await at.goal(id, 'Finish textkit [demo:all=instant]')
    await at.decide(goal.id, 'spec', {
      decision: 'request_changes',
      comment: 'Only one task, please',
    })
    const second = await at.until(goal.id, (g) =>
      g.reviews.some((r) => r.kind === 'spec' && r.status === 'pending' && r.attempt === 2),
    )
    const sentBack = second.stages.find((s) => s.stage === 'spec' && s.attempt === 1)
    expect(sentBack).toMatchObject({ status: 'changes_requested', endedAt: expect.any(String) })
    const review = second.reviews.find((r) => r.attempt === 2)
    const prompt = await promptOf(goal.id, 'spec', 2)
    expect(prompt).toContain('Only one task, please')
    const { body } = await at.call<{ spec: { content: { tasks: object[]; title: string } } }>(
      'GET',
      `/api/reviews/${review?.id}`,
    )
    const edits = {
      ...body.spec.content,
      title: 'My own title',
      tasks: body.spec.content.tasks.slice(0, 1),
    }
    await at.decide(goal.id, 'spec', { edits: edits as never })
    const done = await at.approveAll(goal.id)
    expect(done.status).toBe('completed')
    expect(done.tasks).toHaveLength(1)
    expect(done.spec?.content).toMatchObject({ title: 'My own title' })
  })

  test('changes requested in a task review go to the agent; the second attempt is merged', async () => {
    const { repo, id } = await at.project({ 'README.md': '# x\n' })
    const goal = await at.goal(
      id,
      'Add a file [demo:all=instant] [demo:implement=edit:src/a.js,instant]',
    )
    await at.decide(goal.id, 'spec')
    await at.decide(goal.id, 'task', { decision: 'request_changes', comment: 'Name it better' })
    const again = await at.until(goal.id, (g) =>
      g.reviews.some(({ attempt, status }) => attempt === 2 && status === 'pending'),
    )
    // what a person puts into the agent's worktree after the review was opened is not approved, and not lost
    writeFileSync(join(worktreeOf(id, again.tasks[0]?.id ?? ''), 'mine.md'), 'my notes')
    const done = await at.approveAll(goal.id)
    const [saved] = done.salvaged
    git(repo, 'fetch', '-q', saved?.repository ?? '', saved?.ref ?? '')
    expect(git(repo, 'show', 'FETCH_HEAD:mine.md')).toBe('my notes')
    expect(git(repo, 'ls-tree', '--name-only', 'main').split('\n')).not.toContain('mine.md')
    expect(done.status).toBe('completed')
    expect((await promptOf(goal.id, 'implement', 2)).split('Name it better')).toHaveLength(2)
    expect(await promptOf(goal.id, 'verify', 2)).toMatch(
      /<requests>\n- R-\d+: Name it better\n<\/requests>/,
    )
    expect(git(repo, 'log', '--format=%s', 'main^1..main^2').split('\n')).toHaveLength(1)
  })

  test('tasks that break each other stop before the merge; changes requested there are a task more, and a person approves the whole', async () => {
    const { repo, id } = await at.project({ 'README.md': '# x\n' })
    const before = git(repo, 'rev-parse', 'main')
    const fits = 'test ! -e src/a.js || test ! -e src/b.js || test -e src/both.js'
    await at.call('PATCH', `/api/projects/${id}`, { checks: [{ name: 'fits', command: fits }] })
    const goal = await at.goal(id, 'Break [demo:all=instant]')
    const [a, b] = ['a', 'b'].map((key) => ({
      ...{ key, title: `Write ${key}`, role: 'implement' as const, dependsOn: [] },
      description: `It is new [demo:implement=edit:src/${key}.js]`,
    }))
    await at.decide(goal.id, 'spec', { edits: { ...twoTasks, tasks: [a, b] as never } })
    await at.decide(goal.id, 'task')
    await at.decide(goal.id, 'task')
    const comment = 'Make them fit [demo:implement=edit:src/both.js]'
    const refused = await at.decide(goal.id, 'merge', { decision: 'request_changes', comment })
    expect(refused.findings.map((finding) => finding.title)).toEqual([
      'fits fails on the whole goal',
    ])
    await at.decide(goal.id, 'task')
    const asked = await at.until(goal.id, (g) =>
      g.reviews.some((r) => r.kind === 'merge' && r.status === 'pending'),
    )
    expect(asked.tasks.at(-1)).toMatchObject({ title: comment, status: 'integrated' })
    expect(await promptOf(goal.id, 'audit', 2)).toContain('Make them fit')
    expect(git(repo, 'rev-parse', 'main')).toBe(before)
    const whole = await at.decide(goal.id, 'merge')
    expect(whole.reason).toContain(`Changes were requested in ${refused.shortId}`)
    await at.until(goal.id, (g) => g.status === 'completed')
    expect(git(repo, 'log', '-1', '--format=%(trailers:key=Dispatch-Review,valueonly)')).toBe(
      whole.shortId,
    )
  })

  test('reject cancels with the reason and keeps the branch', async () => {
    const { repo, id } = await at.project()
    const before = git(repo, 'rev-parse', 'main')
    const goal = await at.goal(id, 'Finish textkit [demo:all=instant] [demo:tasks=1]')
    await at.decide(goal.id, 'spec')
    await at.decide(goal.id, 'task', { decision: 'reject', comment: 'Not like this' })
    const done = await at.until(goal.id, (g) => g.status === 'cancelled')
    expect(done.reason).toContain('Not like this')
    const kept = git(repo, 'branch', '--list', 'dispatch/*', '--format=%(refname:short)').split(
      '\n',
    )
    expect(kept.length).toBeGreaterThan(0)
    for (const branch of kept) expect(done.reason).toContain(branch)
    expect(git(repo, 'rev-parse', 'main')).toBe(before)
    expect(done.pendingReviews).toBe(0)
  })

  test('cancel during a run ends the agent and says where the work is', async () => {
    const { repo, id } = await at.project()
    const goal = await at.goal(
      id,
      'Finish textkit [demo:all=instant] [demo:tasks=1] [demo:implement=commit,slow:60]',
      { skipSpecReview: true },
    )
    await at.until(goal.id, (g) =>
      g.stages.some((s) => s.stage === 'implement' && s.status === 'running'),
    )
    await at.call('POST', `/api/goals/${goal.id}/cancel`, { reason: 'Changed my mind' })
    const done = await at.until(goal.id, (g) => g.status === 'cancelled')
    expect(done.reason).toContain('Changed my mind')
    const runs = await at.database.knex('agent_runs').where({ goal_id: goal.id, status: 'running' })
    expect(runs).toHaveLength(0)
    expect(git(repo, 'status', '--porcelain')).toBe('')
  })

  test('tasks that depend on each other run in order; parallel ones that edit the same line are reconciled', async () => {
    const { repo, id } = await at.project({ 'README.md': '# x\n' })
    const chain = await at.goal(id, 'Chain [demo:all=instant] [demo:chain=3]')
    expect((await at.approveAll(chain.id)).status).toBe('completed')
    const fight = await at.goal(
      id,
      'Fight [demo:all=instant] [demo:tasks=2] [demo:implement=conflict,instant]',
    )
    const done = await at.approveAll(fight.id)
    expect(done).toMatchObject({ status: 'completed' })
    expect(git(repo, 'log', '--merges', '--format=%s', 'main').split('\n')).toHaveLength(2)
    expect(readFileSync(join(repo, 'README.md'), 'utf8')).not.toContain('<<<<<<<')
  })

  test('two goals of one project do not disturb each other', async () => {
    const { repo, id } = await at.project({ 'README.md': '# x\n' })
    const goals = await Promise.all(
      ['A', 'B'].map((name) => at.goal(id, `Goal ${name} [demo:all=instant]`)),
    )
    const done = await Promise.all(goals.map((goal) => at.approveAll(goal.id)))
    expect(done.map((goal) => goal.status)).toEqual(['completed', 'completed'])
    expect(git(repo, 'log', '--merges', '--format=%s', 'main').split('\n').sort()).toEqual(
      ['Goal A', 'Goal B'].map((t) => expect.stringContaining(t)),
    )
  })

  test('only documentation goes on by the policy, and that decision is on record', async () => {
    const { id } = await at.project({ 'README.md': '# x\n' })
    const goal = await at.goal(id, 'Notes [demo:all=instant]', { skipSpecReview: true })
    const done = await at.until(goal.id, (g) => g.status === 'completed')
    expect(done.reviews.map((r) => [r.kind, r.tier, r.decidedBy])).toEqual(
      expect.arrayContaining([
        ['spec', 'auto', 'policy'],
        ['task', 'auto', 'policy'],
      ]),
    )
  })
})

describe.concurrent('when something goes wrong', () => {
  test('an invalid answer goes back with its errors; a third one needs attention and can be retried', async () => {
    const { id } = await at.project({ 'README.md': '# x\n' })
    const once = await at.goal(id, 'Once [demo:all=instant] [demo:spec=invalid-once,instant]')
    await at.until(once.id, (g) => g.pendingReviews === 1)
    const runsOf = (goalId: string) =>
      at.database.knex('agent_runs').where({ goal_id: goalId }).orderBy('segment')
    const runs = await runsOf(once.id)
    expect(runs.map((run) => run.purpose)).toEqual(['start', 'repair'])
    expect(new Set(runs.map((run) => run.session_id)).size).toBe(1)
    const always = await at.goal(id, 'Always [demo:all=instant] [demo:spec=invalid,instant]')
    const stuck = await at.until(always.id, (g) => g.status === 'needs_attention')
    expect(stuck.reason).toContain('did not have the asked shape')
    const purposes = (await runsOf(always.id)).map((run) => run.purpose)
    expect(purposes).toEqual(['start', 'repair', 'repair'])
    await at.call('POST', `/api/goals/${always.id}/retry`, {})
    const again = await at.until(
      always.id,
      (g) =>
        g.status === 'needs_attention' &&
        g.stages.some((s) => s.stage === 'spec' && s.attempt === 2 && s.status === 'failed'),
    )
    expect(again.stages.filter((s) => s.stage === 'spec').at(-1)?.attempt).toBe(2)
  })

  test('an agent that lies about the tests is caught by the checks, twice, and then a person is asked', async () => {
    const { id } = await at.project()
    const goal = await at.goal(
      id,
      'Finish textkit [demo:all=instant] [demo:tasks=1] [demo:implement=edit:src/slugify.js,instant]',
      { skipSpecReview: true },
    )
    const stuck = await at.until(goal.id, (g) => g.status === 'needs_attention')
    expect(stuck.reason).toMatch(/Verify found/)
    const attempts = stuck.stages.filter((s) => s.stage === 'verify').map((s) => s.attempt)
    expect(Math.max(...attempts)).toBe(3)
    expect(stuck.mergedCommit).toBeNull()
  })

  test('a crash is resumed in the same session, without a person', async () => {
    const { id } = await at.project({ 'README.md': '# x\n' })
    const goal = await at.goal(id, 'Crash [demo:all=instant] [demo:implement=crash-once,instant]', {
      skipSpecReview: true,
    })
    const done = await at.until(goal.id, (g) => g.status === 'completed')
    expect(done.status).toBe('completed')
    const runs = await at.database
      .knex('agent_runs')
      .where({ goal_id: goal.id, stage: 'implement' })
      .orderBy('segment')
    expect(runs.map((run) => [run.purpose, run.status])).toEqual([
      ['start', 'failed'],
      ['resume', 'done'],
    ])
    expect(runs[0].session_id).toBe(runs[1].session_id)
  })

  test('an agent in a loop is woken once; in it again, the goal waits and says which call it was', async () => {
    const { id } = await at.project({ 'README.md': '# x\n' })
    const goal = await at.goal(id, 'Loop [demo:spec=loop]')
    const stuck = await at.until(goal.id, (g) => g.status === 'needs_attention')
    expect(stuck.reason).toMatch(/repeated itself.*Loop detected: shell was called 10 times.*: ls/)
    const runs = await at.database.knex('agent_runs').where({ goal_id: goal.id }).orderBy('segment')
    expect(runs.map((run) => [run.purpose, run.exit_reason])).toEqual([
      ['start', 'loop'],
      ['resume', 'loop'],
    ])
    expect(runs[0].session_id).toBe(runs[1].session_id)
  })

  test('a missing agent and a missing login say what to do', async () => {
    const { id } = await at.project({ 'README.md': '# x\n' })
    const wish = { project: id, description: 'Claude', profile: 'Default' }
    expect(await at.call('POST', '/api/goals', wish)).toMatchObject({
      status: 409,
      body: { code: 'no_agent', advice: expect.stringContaining('npm install -g') },
    })
    const login = await at.goal(id, 'Login [demo:spec=auth]')
    expect((await at.until(login.id, (g) => g.status === 'needs_attention')).reason).toContain(
      'log in',
    )
  })

  test('a rate limit parks the run until its time and goes on by itself', async () => {
    const { id } = await at.project({ 'README.md': '# x\n' })
    const goal = await at.goal(id, 'Limit [demo:all=instant] [demo:spec=rate-limit:4,instant]', {
      skipSpecReview: true,
    })
    const parked = await at.until(goal.id, (g) =>
      g.stages.some((s) => s.stage === 'spec' && s.status === 'waiting' && s.reason !== null),
    )
    expect(parked.stages[0]?.reason).toContain('Goes on at')
    expect((await at.until(goal.id, (g) => g.status === 'completed')).status).toBe('completed')
  })

  test('at the token budget the run stops at a review; granting more goes on in the same session', async () => {
    const { id } = await at.project({ 'README.md': '# x\n' })
    const goal = await at.goal(
      id,
      'Budget [demo:all=instant] [demo:implement=tokens:6000,slow:2]',
      { skipSpecReview: true, tokenBudget: 5000 },
    )
    const asked = await at.until(goal.id, (g) =>
      g.reviews.some((r) => r.kind === 'budget' && r.status === 'pending'),
    )
    expect(asked.reviews.find((r) => r.kind === 'budget')?.title).toContain('More tokens')
    const running = await at.database
      .knex('agent_runs')
      .where({ goal_id: goal.id, status: 'running' })
    expect(running).toHaveLength(0)
    await at.decide(goal.id, 'budget', { comment: 'Be brief' })
    const runs = async () =>
      at.database
        .knex('agent_runs')
        .where({ goal_id: goal.id, stage: 'implement' })
        .orderBy('segment')
    // each grant at least doubles, so approving comes to an end
    const done = await at.approveAll(goal.id)
    expect(done.status).toBe('completed')
    const segments = await runs()
    expect(segments[0].exit_reason).toBe('budget')
    expect(new Set(segments.map((run) => run.session_id)).size).toBe(1)
    expect(await promptOf(goal.id, 'implement', 1, 2)).toContain('(tokens granted): Be brief')
  })
})

describe('several stages at once', () => {
  test('what needs a person stays said while other tasks go on, and a retry reaches it', async () => {
    const { id } = await at.project({ 'README.md': '# x\n' })
    const text = 'Mixed [demo:all=instant] [demo:tasks=2]'
    const goal = await at.goal(id, text)
    // the first task fails for good, the second one works on
    await at.decide(goal.id, 'spec', { edits: twoTasks })
    const stuck = await at.until(
      goal.id,
      (g) =>
        g.tasks.some((t) => t.status === 'needs_attention') &&
        g.tasks.some((t) => t.status === 'integrated'),
    )
    expect(stuck.status).toBe('needs_attention')
    expect(stuck.reason).toContain('log in')
    const answer = await at.call<{ status: string }>('POST', `/api/goals/${goal.id}/retry`, {})
    expect(answer.status).toBe(202)
    await at.until(goal.id, (g) =>
      g.stages.some((s) => s.stage === 'implement' && s.attempt === 2 && s.status === 'failed'),
    )
    await at.call('POST', `/api/goals/${goal.id}/cancel`, { reason: 'seen' })
    expect((await at.until(goal.id, (g) => g.status === 'cancelled')).reason).toContain('seen')
  })

  test('a goal whose repository moved away can still be cancelled, and says where the work is', async () => {
    const { repo, id } = await at.project({ 'README.md': '# x\n' })
    const goal = await at.goal(
      id,
      'Moved [demo:all=instant] [demo:implement=commit,instant,slow:60]',
      { skipSpecReview: true },
    )
    await at.until(goal.id, (g) =>
      g.stages.some((s) => s.stage === 'implement' && s.status === 'running'),
    )
    renameSync(repo, `${repo} elsewhere`)
    await at.call('POST', `/api/goals/${goal.id}/cancel`, { reason: 'moved' })
    const done = await at.until(goal.id, (g) => g.status === 'cancelled')
    expect(done.reason).toContain('moved')
  })

  test('a goal that Temporal lost goes on with the next decision, and is told so', async () => {
    const { repo, id } = await at.project()
    const goal = await at.goal(id, 'Lost [demo:all=instant] [demo:tasks=1]')
    await at.decide(goal.id, 'spec')
    await at.until(goal.id, (g) => g.reviews.some((r) => r.kind === 'task'))
    await loseWorkflow(goal.id)
    const done = await at.approveAll(goal.id)
    expect(done.status).toBe('completed')
    expect(git(repo, 'rev-parse', 'main')).toBe(done.mergedCommit)
    expect(done.stages.every(({ attempt }) => attempt <= 1)).toBe(true)
    const runs = await at.database.knex('agent_runs').where({ goal_id: goal.id })
    expect(runs.map(({ attempt, segment }) => [attempt, segment])).toEqual(runs.map(() => [1, 1]))
    const notices = await at.database
      .knex('events')
      .where({ stream: `goal/${goal.id}`, type: 'system.notice' })
    expect(notices.map(({ data }) => data.text)).toEqual([
      expect.stringContaining(`Temporal had lost ${goal.shortId}`),
    ])
  })

  test('a goal that Temporal lost is ended by a cancel as any other: no agent, place or worktree is left, and the work is kept', async () => {
    const { repo, id } = await at.project({ 'README.md': '# x\n' })
    const goal = await at.goal(id, 'Lost too [demo:all=instant] [demo:verify=slow:60]', {
      skipSpecReview: true,
    })
    await at.until(goal.id, (g) => g.working.some(({ stage }) => stage === 'verify'))
    await loseWorkflow(goal.id)
    await at.call('POST', `/api/goals/${goal.id}/cancel`, { reason: 'lost' })
    const done = await at.until(goal.id, (g) => g.status === 'cancelled')
    const [branch] = git(repo, 'branch', '--list', 'dispatch/*', '--format=%(refname:short)').split(
      '\n',
    )
    expect(done.reason).toContain(`lost; the work is kept in ${branch}`)
    expect(git(repo, 'diff', '--name-only', 'main', branch ?? '')).not.toBe('')
    const { knex } = at.database
    expect(await knex('agent_runs').where({ goal_id: goal.id, status: 'running' })).toEqual([])
    const places = await knex('run_leases').where({ goal_id: goal.id }).pluck('state')
    expect(new Set(places)).toEqual(new Set(['released']))
    await until(() => claimsOf(id).length === 0, { ms: 20_000, what: 'no worktree' })
  })

  test('a pause that was accepted before the merge holds it, and resume merges', async () => {
    const { repo, id } = await at.project({ 'README.md': '# x\n' })
    const before = git(repo, 'rev-parse', 'main')
    const script = '[demo:all=instant] [demo:implement=edit:src/a.js]'
    const goal = await at.goal(id, `Held ${script}`, { skipSpecReview: true })
    await at.until(goal.id, (g) => g.pendingReviews === 1)
    // only the whole meets this check, so a person is asked right before the merge
    await at.call('PATCH', `/api/projects/${id}`, { checks: [{ name: 'no', command: 'false' }] })
    await at.decide(goal.id, 'task')
    await at.until(goal.id, (g) => g.reviews.some((r) => r.kind === 'merge'))
    // the row says paused, but its signal is not sent: as if the API died between the two
    await at.database.knex('goals').where({ id: goal.id }).update({ paused: true })
    await at.decide(goal.id, 'merge')
    await answered(goal.id, 'mergeGoal')
    expect(git(repo, 'rev-parse', 'main')).toBe(before)
    await at.call('POST', `/api/goals/${goal.id}/resume`, {})
    const done = await at.until(goal.id, (g) => g.status === 'completed')
    expect(git(repo, 'rev-parse', 'main')).toBe(done.mergedCommit)
  })
})

/** As when Temporal's database is lost: nothing knows of the goal's workflows any more, and nothing ends because of it. */
async function loseWorkflow(goalId: string): Promise<void> {
  const connection = await Connection.connect({ address: inject('temporalAddress') })
  try {
    const { workflow } = new Client({ connection })
    await workflow.getHandle(goalWorkflowId(goalId)).terminate()
    for (const id of await at.database.knex('tasks').where({ goal_id: goalId }).pluck('id'))
      await workflow
        .getHandle(taskWorkflowId(id))
        .terminate()
        .catch((error) => expect(error).toBeInstanceOf(WorkflowNotFoundError))
  } finally {
    await connection.close()
  }
}

/** Waits until an activity of the goal's workflow has given its answer. */
async function answered(goalId: string, activity: string): Promise<void> {
  const connection = await Connection.connect({ address: inject('temporalAddress') })
  try {
    const workflow = new Client({ connection }).workflow.getHandle(goalWorkflowId(goalId))
    const look = async () => {
      const events = (await workflow.fetchHistory()).events ?? []
      const scheduled = events
        .filter((e) => e.activityTaskScheduledEventAttributes?.activityType?.name === activity)
        .map((e) => String(e.eventId))
      return events.some((e) =>
        scheduled.includes(String(e.activityTaskCompletedEventAttributes?.scheduledEventId)),
      )
    }
    await until(look, { ms: 30_000, what: `the answer of ${activity}` })
  } finally {
    await connection.close()
  }
}

const twoTasks = {
  title: 'Mixed',
  summary: 'Two tasks, of which one cannot log in.',
  requirements: [{ id: 'REQ-1', text: 'Both are done.' }],
  acceptance: [{ id: 'AC-1', text: 'Both can be seen.' }],
  tasks: [
    {
      key: 'a',
      title: 'Cannot',
      description: 'No login [demo:implement=auth]',
      role: 'implement' as const,
      dependsOn: [],
    },
    { key: 'b', title: 'Can', description: 'A note', role: 'implement' as const, dependsOn: [] },
  ],
}

describe('pause', () => {
  test('interrupts the agent within 5 s, keeps its session, and resume goes on in it', async () => {
    const { id } = await at.project({ 'README.md': '# x\n' })
    const goal = await at.goal(id, 'Pause [demo:all=instant] [demo:implement=slow:10]', {
      skipSpecReview: true,
    })
    await at.until(goal.id, (g) =>
      g.stages.some((s) => s.stage === 'implement' && s.status === 'running'),
    )
    const session = async () =>
      at.database
        .knex('agent_runs')
        .where({ goal_id: goal.id, stage: 'implement' })
        .orderBy('segment')
    while (!(await session())[0]?.session_id)
      await new Promise((resolve) => setTimeout(resolve, 20))
    const answer = await at.call<{ status: string }>('POST', `/api/goals/${goal.id}/pause`, {})
    expect(answer.body.status).toBe('paused')
    await at.until(goal.id, (g) =>
      g.stages.some((s) => s.stage === 'implement' && s.status === 'paused'),
    )
    const paused = await at.database
      .knex('events')
      .where({ stream: `goal/${goal.id}`, type: 'goal.status' })
      .whereRaw(`data ->> 'status' = 'paused'`)
      .first('at')
    const [interrupted] = await session()
    expect(Date.parse(interrupted?.ended_at) - Date.parse(paused?.at)).toBeLessThan(
      atThisPace(5000),
    )
    const leases = await at.database.knex('run_leases').where({ goal_id: goal.id, state: 'held' })
    expect(leases).toHaveLength(0)
    await at.call('POST', `/api/goals/${goal.id}/resume`, {})
    const done = await at.approveAll(goal.id)
    expect(done.status).toBe('completed')
    const runs = await session()
    expect(runs.map((run) => run.status)).toEqual(['interrupted', 'done'])
    expect(new Set(runs.map((run) => run.session_id)).size).toBe(1)
  })

  test('a goal in line says its place and why; the pool can be paused', async () => {
    await at.call('POST', '/api/pool/pause', {})
    const { id } = await at.project({ 'README.md': '# x\n' })
    const goal = await at.goal(id, 'Line [demo:all=instant]')
    const waiting = await at.until(goal.id, (g) =>
      g.stages.some((s) => s.stage === 'spec' && s.reason !== null),
    )
    expect(waiting.stages[0]?.reason).toMatch(/in line, place \d+: the pool is paused by/)
    const pool = await at.call<{ waiting: { goalShortId: string; reason: string }[] }>(
      'GET',
      '/api/pool',
    )
    expect(pool.body.waiting.map((row) => row.goalShortId)).toContain(goal.shortId)
    await at.call('POST', '/api/pool/resume', {})
    await at.until(goal.id, (g) => g.pendingReviews === 1)
    await at.call('POST', `/api/goals/${goal.id}/cancel`, {})
    await at.until(goal.id, (g) => g.status === 'cancelled')
  })
})

/** What the agent of an attempt was sent first, or as it went on. */
async function promptOf(
  ...[goalId, stage, attempt, segment = 1]: [string, string, number, number?]
): Promise<string> {
  const run = await at.database
    .knex('agent_runs')
    .where({ goal_id: goalId, stage, attempt, segment })
    .first('id')
  const file = join(at.home, 'dispatch', 'runs', run.id, 'spec.json')
  expect(existsSync(file)).toBe(true)
  return JSON.parse(readFileSync(file, 'utf8')).prompt
}
