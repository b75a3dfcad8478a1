import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncLocalStorage, CancelledFailure, type Context } from '@temporalio/activity'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { RunEvent, RunState, TerminalEvent } from '../contracts/agent.ts'
import { goalStream } from '../contracts/ids.ts'
import { AGENT_STAGES } from '../contracts/stages.ts'
import { connect, type Database } from '../db/connect.ts'
import { setPoolPaused } from '../db/pool.ts'
import { createSegment, endSegment, listSegments, type RunRow } from '../db/runs.ts'
import { writeSettings } from '../db/settings.ts'
import { openStage, type StageKey } from '../db/stages.ts'
import { setTaskAgent } from '../db/tasks.ts'
import { storeEvents } from '../db/transcripts.ts'
import { GitProblem } from '../git/problem.ts'
import { runCheckProcess } from '../runner/check-process.ts'
import { RunnerLost, RunnerSilent } from '../runner/runner.ts'
import type { Check } from '../runner/spawner-messages.ts'
import { createTestDatabase, type TestDatabase } from '../test/support/database.ts'
import { until } from '../test/support/until.ts'
import { endUnfollowed } from './abandon-attempt.ts'
import type { ActivityDeps } from './deps.ts'
import { createLifecycleActivities } from './lifecycle.ts'
import { createStageActivities } from './stage.ts'

let own: TestDatabase
let database: Database
let folder: string
let key: StageKey
let leaseId: string
/** The runs' runner as it is seen from here: the runner itself has tests of its own. */
/** `silent`: its runner hangs. */
let states: Map<string, RunState | 'silent'>
let calls: string[]
/** What started agents were told: here the values of the templates. */
let prompts: string[]
let events: RunEvent[]
let ending: AbortController
/** Which attempt of Temporal's it is. */
let tries: number
/** Of the goal's branch. */
let tree: string
/** What the task's commit changes. */
let changed: string[]

beforeAll(async () => {
  own = await createTestDatabase()
  database = connect(own.url)
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stage-'))
  const { knex } = database
  const [project] = await knex('projects')
    .insert({
      name: folder,
      path: folder,
      default_branch: 'main',
      trusted: true,
      checks: JSON.stringify([{ name: 'count', command: `echo checked >> ${folder}/count` }]),
    })
    .returning('id')
  const stages = Object.fromEntries(AGENT_STAGES.map((stage) => [stage, { adapter: 'demo' }]))
  const [goal] = await knex('goals')
    .insert({
      project_id: project.id,
      title: 'g',
      description: 'x',
      profile: JSON.stringify({ stages }),
      target_branch: 'main',
      base_commit: 'b0',
      branch: 'dispatch/g',
    })
    .returning('id')
  const [task] = await knex('tasks')
    .insert({
      goal_id: goal.id,
      key: 'a',
      title: 't',
      description: 'x',
      role: 'implement',
      base: 'b0',
      head: 'h1',
      branch: 'dispatch/t',
      token_budget: 100,
    })
    .returning('id')
  key = { goalId: goal.id, taskId: task.id, stage: 'implement', attempt: 1 }
  leaseId = `${task.id}/implement/1`
  states = new Map()
  calls = []
  prompts = []
  events = []
  ending = new AbortController()
  tries = 1
  tree = 'verified'
  changed = []
})
afterEach(async () => {
  vi.useRealTimers()
  await database.knex('run_leases').delete()
  // a limit is one for every goal
  await database.knex('agent_runs').update({ until_at: null })
  await rm(folder, { recursive: true, force: true })
})
afterAll(async () => {
  await database.close()
  await own.drop()
})

/** Runs the stage as the worker would; `onClaim` happens when its worktree is opened. */
function runStage(
  at: StageKey,
  onClaim: () => Promise<void> = async () => undefined,
  feedback = '',
) {
  const runner = {
    state: async (id: string) => states.get(id) ?? 'absent',
    start: async ({ runId, prompt }: { runId: string; prompt: string }) => {
      calls.push('start')
      prompts.push(prompt)
      states.set(runId, 'running')
    },
    reap: async (id: string) => {
      calls.push(`reap ${id}`)
      states.set(id, 'lost')
    },
    send: async (id: string, { type }: { type: string }) => {
      if (states.get(id) === 'silent') throw new RunnerSilent(id)
      calls.push(type)
    },
    check: (check: Check, signal: AbortSignal) =>
      runCheckProcess({ ...check, runId: 'check', dir: join(folder, 'runs', 'check') }, signal),
    exit: async () => undefined,
    prompt: async () => prompts.at(-1) ?? '',
    tmpdir: () => folder,
    async *attach(
      id: string,
      { signal }: { signal: AbortSignal },
    ): AsyncGenerator<RunEvent[], void> {
      if (states.get(id) === 'lost') throw new RunnerLost(id)
      if (!states.has(id)) throw new RunnerLost(id, 'its folder was deleted')
      if (states.get(id) === 'silent') throw new RunnerLost(id, 'it did not answer any more')
      calls.push('attach')
      if (events.length > 0) return yield events
      if (signal.aborted) return
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    },
  }
  const git = {
    claimWorktree: async () => {
      await onClaim()
      return { path: folder, head: 'h1' }
    },
    provisionDependencies: async () => undefined,
    releaseWorktree: async () => undefined,
    branchHead: async () => 'h1',
    treeOf: async () => tree,
    snapshotConfig: async () => ({}),
    commitAll: async () => ({
      ...{ head: 'h1', changed: true, files: changed, committed: true },
      ...{ leftOut: [], closed: [], unresolved: [], undone: [] },
    }),
    publish: async ({ head }: { head: string }) => ({ head }),
  }
  const deps = {
    database,
    runner,
    git,
    prompts: { render: async (_name: string, values: object) => JSON.stringify(values) },
    environment: { PATH: '/usr/bin:/bin' },
    home: folder,
    disk: () => ({ path: folder, free: 1e12, freeMb: 1e6, minFreeMb: 1 }),
    log: () => undefined,
  } as unknown as ActivityDeps
  const info = { attempt: tries }
  const context = { cancellationSignal: ending.signal, info } as unknown as Context
  const input = { ...at, feedback } as Parameters<
    ReturnType<typeof createStageActivities>['runStage']
  >[0]
  return asyncLocalStorage.run(context, () => createStageActivities(deps).runStage(input))
}

const segment = { segment: 1, opinion: 1, purpose: 'start', adapter: 'demo', model: null } as const
const liveRun = (at: StageKey, tokensReserved = 0) =>
  database
    .change((tx, emit) =>
      createSegment(tx, emit, { key: at, ...segment, sessionId: null, tokensReserved }),
    )
    .then((run) => {
      states.set(run.id, 'running')
      return run
    })
const lease = (id: string) => database.knex('run_leases').where({ id }).first()
const askToStop = () => ending.abort(new CancelledFailure('PAUSED'))
const stopWorker = () => ending.abort(new CancelledFailure('WORKER_SHUTDOWN'))

test('a retry ends what the failed attempt left at work, before it starts itself', async () => {
  await database.change((tx) => openStage(tx, key, null))
  const old = await liveRun(key)
  await database.knex('run_leases').insert({
    id: leaseId,
    goal_id: key.goalId,
    stage: 'implement',
    adapter: 'demo',
    state: 'held',
  })
  const running = runStage({ ...key, attempt: 2 })
  await until(() => calls.includes('attach'), { ms: 20_000, what: 'the agent of the retry' })
  expect(calls.slice(0, 2)).toEqual([`reap ${old.id}`, 'start'])
  expect((await listSegments(database.knex, key))[0]?.status).toBe('interrupted')
  expect((await lease(leaseId)).state).toBe('released')
  stopWorker()
  await expect(running).rejects.toThrow('WORKER_SHUTDOWN')
})

/** A review of the task that a person decided. */
const decided = (attempt: number, more: object) =>
  database.knex('reviews').insert({
    ...{ goal_id: key.goalId, task_id: key.taskId, kind: 'task', attempt, workflow_id: 'w' },
    ...{ title: 't', reason: 'r', hash: 'h', tier: 'block', risk: 'low' },
    ...{ decision: 'request_changes', status: 'changes_requested' },
    ...{ decided_at: `2026-01-0${attempt}`, ...more },
  })

const APPROVED = ['(approving the spec) but keep the old API', '(approving T, t) and a changelog']
test.each([
  ['implement', ['Keep the old flag', 'Name it better'], ['(tokens granted) Be brief']],
  ['verify', ['Keep the old flag', 'Name it better'], ['(tokens granted) Be brief']],
  ['spec', ['One task'], []],
  ['audit', ['Make them fit'], []],
] as const)(
  '%s is told all that people requested in its reviews and remarked with approvals, once and in order',
  async (stage, wanted, granted) => {
    await decided(1, { comment: 'Keep the old flag' })
    await decided(2, { comment: null })
    await decided(3, { comment: 'Name it better' })
    await decided(4, { kind: 'budget', decision: 'approve', comment: 'Be brief' })
    await decided(5, { comment: 'Add a test' })
    await decided(6, { kind: 'spec', task_id: null, comment: 'One task' })
    await decided(7, { kind: 'merge', task_id: null, comment: 'Make them fit' })
    const approved = { decision: 'approve', status: 'approved' }
    await decided(8, { ...approved, kind: 'spec', task_id: null, comment: 'but keep the old API' })
    await decided(9, { ...approved, comment: 'and a changelog' })
    const ofGoal = stage === 'spec' || stage === 'audit'
    const at: StageKey = { ...key, taskId: ofGoal ? null : key.taskId, stage, attempt: 9 }
    await database.change((tx) => openStage(tx, at, 'Add a test'))
    const running = runStage(at)
    await until(() => calls.includes('attach'), { ms: 20_000, what: 'the agent' })
    stopWorker()
    await expect(running).rejects.toThrow('WORKER_SHUTDOWN')
    const { feedback, requests, remarks } = JSON.parse(`{${prompts.join().split('}{').at(-1)}`)
    expect(feedback).toBe('Add a test')
    const told = (lines: string) =>
      lines.split('\n').map((line) =>
        line
          .replace(/^- R-\d+:? /, '')
          .replace('):', ')')
          .replace(/T-\d+/, 'T'),
      )
    expect(told(requests)).toEqual(wanted)
    expect(told(remarks)).toEqual([...granted, ...APPROVED])
  },
)

const rowsOf = (stage: string) =>
  database
    .knex('stage_attempts')
    .where({ task_id: key.taskId, stage })
    .orderBy('id')
    .select('attempt', 'status', 'feedback')

test('a frontend that was skipped in earlier rounds and is called for after all comes after them, and its failure asks a person', async () => {
  const answer = { summary: 's', files: [], deviations: [] }
  const done = { type: 'done', text: '', output: answer } as const
  const implement = async (attempt: number, files: string[]) => {
    const at = { ...key, attempt }
    await database.change((tx) => openStage(tx, at, null))
    await endSegment(database, await liveRun(at), { status: 'done', terminal: done })
    changed = files
    expect(await runStage(at)).toMatchObject({ outcome: 'passed' })
  }
  await implement(1, ['a.js'])
  await implement(2, ['a.js'])
  expect(await rowsOf('frontend')).toEqual([{ attempt: 1, status: 'skipped', feedback: null }])
  await database.change((tx) => openStage(tx, { ...key, stage: 'verify' }, null))
  await implement(3, ['a.css'])

  const frontend: StageKey = { ...key, stage: 'frontend' }
  await expect(runStage(frontend, async () => askToStop(), 'Resolve it')).rejects.toThrow('PAUSED')
  expect(await rowsOf('frontend')).toEqual([
    { attempt: 1, status: 'waiting', feedback: 'Resolve it' },
  ])
  const { report } = createLifecycleActivities({ database } as ActivityDeps, async () => false)
  const failed = { ...frontend, status: 'needs_attention', reason: 'broke' } as const
  expect(await report(failed)).toBeUndefined()

  ending = new AbortController()
  await implement(4, ['a.js'])
  expect((await rowsOf('frontend')).map(({ status }) => status)).toEqual(['failed', 'skipped'])
})

/** Runs the stage by a worker that is held up between its look at what has run so far and what it does about that. */
async function runHeldUp(meanwhile: () => Promise<void>) {
  const { knex } = database
  const lock = await knex.transaction()
  const running = runStage(key, async () => {
    await lock('tasks').where({ id: key.taskId }).forNoKeyUpdate()
  })
  const waits = knex('pg_stat_activity').where({ wait_event_type: 'Lock' })
  const here = waits.whereRaw('datname = current_database()')
  await until(async () => (await here.clone()).length > 0, { ms: 20_000, what: 'a lock' })
  await meanwhile()
  await lock.commit()
  return running
}

test('who was held up while another worker began the run follows that one, and pays for none beside it', async () => {
  const running = runHeldUp(async () => void (await liveRun(key)))
  await until(() => calls.includes('attach'), { ms: 20_000, what: 'an agent' })
  stopWorker()
  await expect(running).rejects.toThrow('WORKER_SHUTDOWN')
  expect(calls).toEqual(['attach'])
  expect(await listSegments(database.knex, key)).toHaveLength(1)
})

test('who was held up until the run of another worker was over starts nothing in its name', async () => {
  const running = runHeldUp(async () => {
    const terminal = { type: 'failed', reason: 'auth', detail: 'no login' } as const
    const run = await liveRun(key)
    states.delete(run.id)
    await endSegment(database, run, { status: 'failed', terminal })
  })
  await expect(running).resolves.toMatchObject({ outcome: 'failed' })
  expect(calls).toEqual([])
})

test('an attempt that broke and that a person had tried again is not paid for again when its workflow begins again', async () => {
  await database.change((tx) => openStage(tx, key, null))
  const terminal = { type: 'failed', reason: 'interrupted', detail: 'the stage failed' } as const
  await endSegment(database, await liveRun(key), { status: 'interrupted', terminal })
  await database.knex('stage_attempts').update({ status: 'failed', reason: 'git broke' })
  await database.change((tx) => openStage(tx, { ...key, attempt: 2 }, null))
  expect(await runStage(key)).toEqual({ outcome: 'failed', reason: 'git broke' })
  expect(calls).toEqual([])
})

test('a correction that came too late for its run is delivered with the next prompt, and says which', async () => {
  const { knex } = database
  await database.change((tx) => openStage(tx, key, null))
  const late = await liveRun(key)
  const made = { run_id: late.id, text: 'Use tabs', created_by: 'person:sam' }
  await knex('corrections').insert(made)
  const terminal = { type: 'failed', reason: 'interrupted', detail: 'killed' } as const
  await endSegment(database, late, { status: 'interrupted', terminal })
  const running = runStage(key)
  await until(() => calls.includes('attach'), { ms: 20_000, what: 'the agent' })
  stopWorker()
  await expect(running).rejects.toThrow('WORKER_SHUTDOWN')
  expect(prompts.join()).toContain('Use tabs')
  const next = (await listSegments(database.knex, key)).at(-1)
  expect(await knex('corrections').where({ run_id: late.id }).first()).toMatchObject({
    ...{ state: 'delivered', delivered_at: expect.any(String) },
    note: `in the prompt of A-${next?.number}, because its own run was over`,
  })
})

test('a correction that came before its run was started is handed to it once, not told in its prompt too', async () => {
  await database.change((tx) => openStage(tx, key, null))
  const run = await liveRun(key)
  states.delete(run.id)
  await database
    .knex('corrections')
    .insert({ run_id: run.id, text: 'Use tabs', created_by: 'person:sam' })
  const running = runStage(key)
  await until(() => calls.includes('attach'), { ms: 20_000, what: 'the agent' })
  stopWorker()
  await expect(running).rejects.toThrow('WORKER_SHUTDOWN')
  expect(calls).toEqual(['start', 'correct', 'attach'])
  expect(prompts.join()).not.toContain('Use tabs')
})

test('a change of git settings before an agent begins is not its doing; one that a later worker finds may be', async () => {
  const { project_id } = await database.knex('goals').where({ id: key.goalId }).first('project_id')
  const change = async () => {
    const row = { project_id, place: 'hub', files: ['config'] }
    return (await database.knex('git_changes').insert(row).returning('id'))[0].id
  }
  const before = await change()
  for (const round of [1, 2]) {
    ending = new AbortController()
    const running = runStage(key)
    const attached = () => calls.filter((call) => call === 'attach').length === round
    await until(attached, { ms: 20_000, what: 'the agent' })
    stopWorker()
    await expect(running).rejects.toThrow('WORKER_SHUTDOWN')
    await change()
  }
  const attempt = await database.knex('stage_attempts').where({ task_id: key.taskId }).first()
  expect(attempt.git_seen).toBe(before)
})

test('a worker that comes back leaves the stage with the agent that took over, and why', async () => {
  const { knex } = database
  await database.change((tx) => openStage(tx, key, null))
  const agentReason = 'codex instead of demo'
  await knex('stage_attempts').where({ task_id: key.taskId }).update({ agent_reason: agentReason })
  const run = await liveRun(key)
  await knex('agent_runs').where({ id: run.id }).update({ adapter: 'codex' })
  const running = runStage(key)
  await until(() => calls.includes('attach'), { ms: 20_000, what: 'the agent' })
  stopWorker()
  await expect(running).rejects.toThrow('WORKER_SHUTDOWN')
  const attempt = await knex('stage_attempts').where({ task_id: key.taskId }).first()
  expect(attempt).toMatchObject({ adapter: 'codex', agent_reason: agentReason })
  expect((await knex('tasks').where({ id: key.taskId }).first()).adapter).toBe('codex')
})

test('a failure that only a person can settle ends the run and gives its place back', async () => {
  await database.change((tx) => openStage(tx, key, null))
  const run = await liveRun(key)
  const failing = runStage(key, async () => {
    throw new GitProblem('workspace_lost', 'The worktree is gone.', 'Retry.')
  })
  await expect(failing).rejects.toThrow('The worktree is gone.')
  expect(calls).toEqual([`reap ${run.id}`])
  expect((await lease(leaseId)).state).toBe('released')
})

test('the place in the pool is renewed while no agent is there yet', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const left = async () => {
    const { expires_at: at } = await lease(leaseId)
    return (Date.parse(at) - Date.now()) / 1000
  }
  const running = runStage(key, async () => {
    const soon = database.knex.raw(`now() + interval '5 seconds'`)
    await database.knex('run_leases').where({ id: leaseId }).update({ expires_at: soon })
    vi.advanceTimersByTime(30_000)
    await until(async () => (await left()) > 60, { ms: 10_000, what: 'a renewed place' })
    stopWorker()
  })
  await expect(running).rejects.toThrow('WORKER_SHUTDOWN')
})

test('a worker that comes back to a live agent does not run the checks again', async () => {
  const verify: StageKey = { ...key, stage: 'verify' }
  for (const round of [1, 2]) {
    ending = new AbortController()
    const running = runStage(verify)
    const attached = () => calls.filter((call) => call === 'attach').length === round
    await until(attached, { ms: 20_000, what: 'the agent' })
    stopWorker()
    await expect(running).rejects.toThrow('WORKER_SHUTDOWN')
  }
  expect(calls.filter((call) => call === 'start')).toHaveLength(1)
  expect(await readFile(join(folder, 'count'), 'utf8')).toBe('checked\n')
})

test('the whole is checked before the merge, unless verify made the same checks of the same files', async () => {
  const { goalId, taskId } = key
  const at = { goal_id: goalId, task_id: taskId, attempt: 1 }
  const check = { name: 'count', command: `echo checked >> ${folder}/count` }
  const checks = JSON.stringify([{ ...check, ok: true, exitCode: 0, seconds: 1, output: '' }])
  await database.knex('stage_attempts').insert({ ...at, stage: 'verify', checks })
  await database.knex('reviews').insert({
    ...{ ...at, kind: 'task', workflow_id: 'w', title: 't', reason: 'r', hash: 'h', tier: 'block' },
    ...{ risk: 'low', status: 'approved', head: 'h1', tree: 'verified' },
  })
  const audit = async (attempt: number) => {
    ending = new AbortController()
    calls = []
    const running = runStage({ goalId, taskId: null, stage: 'audit', attempt })
    await until(() => calls.includes('attach'), { ms: 20_000, what: 'the agent' })
    stopWorker()
    await expect(running).rejects.toThrow('WORKER_SHUTDOWN')
    return readFile(join(folder, 'count'), 'utf8').catch(() => 'not checked')
  }
  expect(await audit(1)).toBe('not checked')
  tree = 'a sum of two tasks'
  expect(await audit(2)).toBe('checked\n')
  tree = 'verified'
  const added = [check, { name: 'lint', command: `echo linted >> ${folder}/count` }]
  const mine = database.knex('projects').where({ name: folder })
  await mine.update({ checks: JSON.stringify(added) })
  expect(await audit(3)).toBe('checked\nchecked\nlinted\n')
})

test('a run that was lost does not pass a paused pool', async () => {
  await database.change((tx) => openStage(tx, key, null))
  states.set((await liveRun(key)).id, 'lost')
  await database.change((tx, emit) =>
    setPoolPaused(tx, emit, { paused: true, actor: 'person:sam' }),
  )
  await expect(runStage(key)).rejects.toThrow('in line, place 1: the pool is paused by sam')
  await database.change((tx, emit) =>
    setPoolPaused(tx, emit, { paused: false, actor: 'person:sam' }),
  )
  expect(calls).toEqual([])
})

test('a run whose runner hangs is ended with that reason, whatever was sent to it, and another one goes on', async () => {
  await database.change((tx) => openStage(tx, key, null))
  const hangs = await liveRun(key)
  states.set(hangs.id, 'silent')
  await database.knex('corrections').insert({ run_id: hangs.id, text: 'x', created_by: 'p' })
  const running = runStage(key)
  await until(() => calls.includes('attach'), { ms: 20_000, what: 'the next run' })
  stopWorker()
  await expect(running).rejects.toThrow('WORKER_SHUTDOWN')
  expect(calls.slice(0, 2)).toEqual([`reap ${hangs.id}`, 'start'])
  expect((await listSegments(database.knex, key))[0]).toMatchObject({
    ...{ status: 'lost', exit_detail: 'it did not answer any more' },
  })
})

test('a run whose folder was deleted while no worker was there is ended, not begun anew beside its agent, and its session goes on', async () => {
  await database.change((tx) => openStage(tx, key, null))
  const gone = await liveRun(key)
  states.delete(gone.id)
  const at = new Date().toISOString()
  const told = [
    { type: 'session', sessionId: 's1', seq: 1, at },
    { type: 'text', text: 'Working', seq: 2, at },
  ] as const
  await storeEvents(database, gone.id, told)
  const running = runStage(key)
  await until(() => calls.includes('attach'), { ms: 20_000, what: 'the next run' })
  stopWorker()
  await expect(running).rejects.toThrow('WORKER_SHUTDOWN')
  expect(calls.slice(0, 3)).toEqual([`reap ${gone.id}`, 'start', 'attach'])
  expect(await listSegments(database.knex, key)).toMatchObject([
    { status: 'lost', exit_detail: 'its folder was deleted' },
    { purpose: 'resume', session_id: 's1' },
  ])
})

test('a repair whose worker died before it was started is told what is to be repaired', async () => {
  await database.change((tx) => openStage(tx, key, null))
  const output = { summary: 's', files: 'none', deviations: [] }
  const terminal = { type: 'done', text: '', output } as const
  await endSegment(database, await liveRun(key), { status: 'done', terminal })
  const repair = { ...segment, segment: 2, purpose: 'repair', sessionId: 's1' } as const
  await database.change((tx, emit) =>
    createSegment(tx, emit, { key, ...repair, tokensReserved: 0 }),
  )
  const running = runStage(key)
  await until(() => calls.includes('attach'), { ms: 20_000, what: 'the repair' })
  stopWorker()
  await expect(running).rejects.toThrow('WORKER_SHUTDOWN')
  expect(prompts.join()).toContain('expected array, received string')
})

test.each([
  ['paused', { paused: true }],
  ['waiting', { paused: false }], // resumed while the pause took effect
  ['cancelled', { paused: false, ending: true }],
])(
  'no agent is started once a pause or a cancellation is known, and the stage is %s',
  async (status, goal) => {
    const stop = async () => {
      await database.knex('goals').where({ id: key.goalId }).update(goal)
      askToStop()
    }
    await expect(runStage(key, stop)).rejects.toThrow('PAUSED')
    expect(calls).toEqual([])
    expect((await lease(leaseId)).state).toBe('released')
    expect(await rowsOf('implement')).toMatchObject([{ status }])
  },
)

test('an agent that another worker interrupted for a pause is not started again before this one hears of it', async () => {
  await database.change((tx) => openStage(tx, key, null))
  await liveRun(key)
  await database.knex('goals').where({ id: key.goalId }).update({ paused: true })
  const at = new Date().toISOString()
  events = [{ type: 'failed', reason: 'interrupted', detail: 'interrupted', seq: 1, at }]
  await expect(runStage(key)).rejects.toThrow('the goal is paused')
  expect(calls).toEqual(['interrupt', 'attach'])
  const [run] = await listSegments(database.knex, key)
  expect(run).toMatchObject({ status: 'interrupted', exit_reason: 'interrupted' })
  expect((await lease(leaseId)).state).toBe('released')
  const attempt = await database.knex('stage_attempts').where({ task_id: key.taskId }).first()
  expect(attempt.status).toBe('paused')
})

test.each([
  ['paused', 'paused', 'released', { paused: true, reason: 'paused by sam' }],
  ['at work', 'running', 'held', { paused: false }],
])(
  'the run of a goal that is %s ends while nobody follows it: its stage is %s and its place %s',
  async (_, status, place, goal) => {
    await database.change((tx) => openStage(tx, key, null))
    await database
      .knex('stage_attempts')
      .where({ task_id: key.taskId })
      .update({ status: 'running' })
    const of = { id: leaseId, goal_id: key.goalId, stage: 'implement', adapter: 'demo' }
    await database.knex('run_leases').insert({ ...of, state: 'held' })
    const run = await liveRun(key)
    await database.knex('goals').where({ id: key.goalId }).update(goal)
    const runner = { reap: async () => 0, state: async () => 'absent' }
    const deps = { database, runner } as unknown as ActivityDeps
    await endUnfollowed(deps, run, 'it was asked to end')
    expect((await listSegments(database.knex, key)).map((one) => one.status)).toEqual([
      'interrupted',
    ])
    expect(await rowsOf('implement')).toMatchObject([{ status }])
    expect((await lease(leaseId)).state).toBe(place)
  },
)

test.each([
  ['paused its goal', 'the goal is paused', { paused: true }, {}],
  ['stopped it', 'Stopped by sam.', {}, { stopped_by: 'person:sam' }],
])(
  'a run whose worker died before it was started is not started once a person %s',
  async (_, why, goal, stop) => {
    const { knex } = database
    await database.change((tx) => openStage(tx, key, null))
    const run = await liveRun(key)
    states.delete(run.id)
    const place = { id: leaseId, goal_id: key.goalId, stage: 'implement', adapter: 'demo' }
    await knex('run_leases').insert({ ...place, state: 'held' })
    await knex('goals')
      .where({ id: key.goalId })
      .update({ paused: false, ...goal })
    await knex('agent_runs')
      .where({ id: run.id })
      .update({ stopped_by: null, ...stop })
    const said = await runStage(key).catch((error) => error)
    expect(`${said.message} ${said.reason}`).toContain(why)
    expect(calls).toEqual([])
    expect((await listSegments(knex, key)).map(({ status }) => status)).toEqual(['interrupted'])
  },
)

test('what gets better by itself is told of a stage that it holds up for long', async () => {
  await database.change((tx) => openStage(tx, key, null))
  const away = () => {
    throw Object.assign(new Error('connect ECONNREFUSED /spawner.sock'), { code: 'ECONNREFUSED' })
  }
  const of = { task_id: key.taskId }
  const told = () => database.knex('stage_attempts').where(of).first('status', 'reason')
  await expect(runStage(key, async () => away())).rejects.toThrow('ECONNREFUSED')
  expect(await told()).toEqual({ status: 'running', reason: null })
  tries = 5
  await expect(runStage(key, async () => away())).rejects.toThrow('ECONNREFUSED')
  const reason = 'connect ECONNREFUSED /spawner.sock: it is tried again by itself'
  expect(await told()).toEqual({ status: 'waiting', reason })
})

test('an interruption at the budget is known to a worker that did not see it', async () => {
  await database.change((tx) => openStage(tx, key, null))
  const run = await liveRun(key, 100)
  const at = new Date().toISOString()
  const usage = { input: 90, output: 20, cacheRead: 0, cacheWrite: 0, reasoning: 0 }
  await storeEvents(database, run.id, [{ type: 'usage', usage, seq: 1, at }])
  events = [{ type: 'failed', reason: 'interrupted', detail: 'interrupted', seq: 2, at }]
  await expect(runStage(key)).resolves.toMatchObject({ outcome: 'budget' })
  expect((await listSegments(database.knex, key)).map((one) => one.exit_reason)).toEqual(['budget'])
  expect(calls).toEqual(['interrupt', 'attach'])
})

test('what an agent does not tell is estimated from where the worker that is gone stood', async () => {
  await database.change((tx) => openStage(tx, key, null))
  const run = await liveRun(key)
  prompts = ['p'.repeat(4000)]
  const at = new Date().toISOString()
  const turn = (seq: number): RunEvent[] => [
    { type: 'text', text: 'x'.repeat(400), seq, at },
    { type: 'tool_result', callId: 'c', ok: true, output: 'z'.repeat(400), seq: seq + 1, at },
  ]
  const begun: RunEvent[] = [{ type: 'session', sessionId: 's', seq: 1, at }, ...turn(2)]
  await storeEvents(database, run.id, begun, { tokens: 1000 + 100 + 1000 + 200 })
  events = [...turn(4), { type: 'failed', reason: 'refused', detail: 'no', seq: 6, at }]
  await expect(runStage(key)).resolves.toMatchObject({ outcome: 'failed' })
  const estimated = 1000 + 100 + (1000 + 200) + 100 + (1000 + 400)
  expect(await listSegments(database.knex, key)).toMatchObject([{ tokens_estimated: estimated }])
})

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()
/** A run of the attempt that is over. */
async function overRun(of: Partial<Parameters<typeof createSegment>[2]>, terminal: TerminalEvent) {
  const made = { key, ...segment, sessionId: null, tokensReserved: 0, ...of }
  const run = await database.change((tx, emit) => createSegment(tx, emit, made))
  await endSegment(database, run, { status: terminal.type, terminal })
}
/** Lets the stage go on until an agent is at work, and tells its run. */
async function nextRun(onClaim?: () => Promise<void>) {
  const running = runStage(key, onClaim)
  await until(() => calls.includes('attach'), { ms: 20_000, what: 'an agent' })
  stopWorker()
  await expect(running).rejects.toThrow('WORKER_SHUTDOWN')
  return (await listSegments(database.knex, key)).at(-1)
}
const changeProfile = (profile: object) =>
  database
    .knex('goals')
    .where({ id: key.goalId })
    .update({ profile: JSON.stringify(profile) })
const all = (adapter: string) =>
  Object.fromEntries(AGENT_STAGES.map((stage) => [stage, { adapter }]))
const quota = (until: string): TerminalEvent => ({
  ...{ type: 'failed', reason: 'quota', detail: 'used up' },
  until,
})

test.each([
  ['before it said a word begins anew, not in a session that it never wrote down', [], null],
  ['in the middle goes on in its session', ['I read the tests.'], 's1'],
])('an agent that was cut off %s', async (_when, words, session) => {
  await database.change((tx) => openStage(tx, key, null))
  await overRun({ sessionId: 's1' }, { type: 'failed', reason: 'crash', detail: 'killed' })
  const [run] = await listSegments(database.knex, key)
  const at = new Date().toISOString()
  const begun: RunEvent = { type: 'session', sessionId: 's1', seq: 1, at }
  const said = words.map((text): RunEvent => ({ type: 'text', text, seq: 2, at }))
  await storeEvents(database, run?.id ?? '', [begun, ...said])
  expect(await nextRun()).toMatchObject({ purpose: 'resume', session_id: session })
})

test('what Dispatch has tried often enough is not said to go on by itself', async () => {
  await database.change((tx) => openStage(tx, key, null))
  for (let n = 1; n <= 21; n += 1)
    await overRun({ segment: n }, { type: 'failed', reason: 'network', detail: 'no route' })
  const { reason } = (await runStage(key)) as { reason: string }
  expect(reason).toMatch(/^The provider could not be reached, .* then retry\. \(no route\)$/)
})

test('a goal that is given another profile while an answer is mended has the new agent begin anew', async () => {
  await database.change((tx) => openStage(tx, key, null))
  const output = { summary: 's', files: 'none', deviations: [] }
  await overRun({ sessionId: 's1' }, { type: 'done', text: '', output })
  await overRun({ segment: 2, purpose: 'repair', sessionId: 's1' }, quota(inAnHour()))
  const since = new Date(Date.now() + 1000).toISOString()
  await changeProfile({ stages: all('gemini'), since })
  expect(await nextRun()).toMatchObject({ adapter: 'gemini', purpose: 'start', session_id: null })
})

const choose = (adapter: string | null) =>
  database.change((tx, emit) =>
    setTaskAgent(tx, emit, {
      ...{ id: key.taskId ?? '', actor: 'person:sam' },
      agent: adapter === null ? null : { adapter },
    }),
  )

test('the agent that is chosen for a task between two runs begins anew, and one that is taken back leaves it to the profile’s', async () => {
  await database.change((tx) => openStage(tx, key, null))
  const ended = { type: 'failed', reason: 'crash', detail: 'killed' } as const
  await overRun({ sessionId: 's1' }, ended)
  await choose('acp:other')
  expect(await nextRun()).toMatchObject({ adapter: 'acp:other', purpose: 'start' })
  const chosen = (await listSegments(database.knex, key)).at(-1) as RunRow
  await endSegment(database, chosen, { status: 'failed', terminal: ended })
  await choose(null)
  ending = new AbortController()
  calls = []
  expect(await nextRun()).toMatchObject({ adapter: 'demo', purpose: 'resume' })
})

test('the agent that is chosen for a task while another works takes over when that one crashes, and the page names it', async () => {
  await database.change((tx) => openStage(tx, key, null))
  states.set((await liveRun(key)).id, 'lost')
  const run = await nextRun(async () => void (await choose('acp:other')))
  expect(run).toMatchObject({ adapter: 'acp:other', purpose: 'start' })
  const attempt = await database.knex('stage_attempts').where({ task_id: key.taskId }).first()
  expect(attempt).toMatchObject({ adapter: 'acp:other', agent_reason: 'chosen for this task' })
})

describe('once the day has no tokens left', () => {
  const limit = (dayBudget: number) =>
    database.change((tx) => writeSettings(tx, { dayBudget }, 'person:sam'))
  beforeEach(async () => {
    const detection = { adapter: 'gemini', found: true, login: 'ready' }
    const row = { adapter: 'gemini', detection: JSON.stringify(detection) }
    await database.knex('adapters').insert(row)
    await limit(1)
  })
  afterEach(async () => {
    await database.knex('adapters').delete()
    await limit(0)
  })

  /** What is told of the stage in two rounds in line. */
  async function told(at: StageKey) {
    await database.knex('agent_runs').where({ goal_id: at.goalId }).update({ tokens_in: 10 })
    for (const _round of [1, 2])
      await expect(runStage(at)).rejects.toThrow("the day's budget of 1 token is used up")
    const stream = goalStream(at.goalId)
    const events = await database.knex('events').where({ stream, type: 'stage.status' })
    return events.map(({ data }) => data.status)
  }

  test('verify waits in line for its second opinion, and says so once', async () => {
    const verify: StageKey = { ...key, stage: 'verify' }
    await changeProfile({ stages: all('demo'), secondOpinion: { adapter: 'gemini' } })
    await database.change((tx) => openStage(tx, verify, null))
    const output = { items: [{ ref: 'R1', result: 'pass', evidence: 'read' }] }
    await overRun({ key: verify }, { type: 'done', text: '', output })
    expect(await told(verify)).toEqual(['waiting'])
  })

  test('a stage that another agent may take over from a limited one waits in line, and says so once', async () => {
    await changeProfile({ stages: all('demo'), fallbacks: [{ adapter: 'gemini' }] })
    await database.change((tx) => openStage(tx, key, null))
    await overRun({}, quota(inAnHour()))
    expect(await told(key)).toEqual(['waiting'])
  })
})

test('who waits for a provider that asks for one pause after the other says since when, and when it goes on', async () => {
  await database.change((tx) => openStage(tx, key, null))
  await overRun({}, { type: 'failed', reason: 'crash', detail: 'killed' })
  for (const segment of [2, 3]) await overRun({ segment }, quota(inAnHour()))
  const ended_at = ['2026-01-01T08:00:00Z', '2026-01-02T09:30:00Z', '2026-01-03T10:00:00Z']
  for (const [n, at] of ended_at.entries())
    await database
      .knex('agent_runs')
      .where({ task_id: key.taskId, segment: n + 1 })
      .update({ ended_at: at })
  expect(await runStage(key)).toMatchObject({
    outcome: 'parked',
    reason: expect.stringMatching(/ Waits since 2026-01-02 09:30 UTC\. Goes on at 20.* UTC\.$/),
  })
})

test('an agent that comes back after another one worked in its place goes on with its own session', async () => {
  await database.change((tx) => openStage(tx, key, null))
  await changeProfile({ stages: all('demo'), fallbacks: [{ adapter: 'gemini' }] })
  await overRun({ sessionId: 's1' }, quota(new Date(Date.now() - 1000).toISOString()))
  const instead = { segment: 2, adapter: 'gemini', sessionId: 's2' } as const
  await overRun(instead, quota(inAnHour()))
  expect(await nextRun()).toMatchObject({ adapter: 'demo', purpose: 'resume', session_id: 's1' })
})

test('one that no longer knows its session begins anew', async () => {
  await database.change((tx) => openStage(tx, key, null))
  await changeProfile({ stages: all('demo'), fallbacks: [{ adapter: 'gemini' }] })
  await overRun({ sessionId: 's1' }, { type: 'failed', reason: 'session', detail: 'unknown' })
  await overRun({ segment: 2, adapter: 'gemini', sessionId: 's2' }, quota(inAnHour()))
  expect(await nextRun()).toMatchObject({ adapter: 'demo', purpose: 'start', session_id: null })
})
