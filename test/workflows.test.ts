import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { ApplicationFailure, Context } from '@temporalio/activity'
import { Client, Connection, type WorkflowHandle } from '@temporalio/client'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Activities, SettledReview, StageResult } from '../activities/types.ts'
import { goalWorkflowId, taskWorkflowId } from '../contracts/ids.ts'
import {
  CANCEL_GOAL,
  GOAL_WORKFLOW,
  RETRY_STAGE,
  SET_ADAPTERS,
  SET_PAUSED,
  type StageAdapters,
} from '../contracts/messages.ts'
import { AGENT_STAGES } from '../contracts/stages.ts'
import { until } from './support/until.ts'

/** The real workflows on activities that a test scripts: what hardly ever happens can be made to happen. */
const scripts = new Map<string, Partial<Activities>>()
const taskQueue = `q-${randomUUID()}`
const adapters = Object.fromEntries(AGENT_STAGES.map((stage) => [stage, 'demo'])) as StageAdapters

const approved: SettledReview = { decided: true, decision: 'approve', comment: null, tasks: [] }
const ALL_WELL: Activities = {
  startGoal: async () => ({ skipSpecReview: true, maxVerifyRounds: 1, adapters }),
  approveSpec: async ({ goalId }) => [
    { taskId: `${goalId}-t`, title: 'A task', role: 'implement', dependsOn: [] },
  ],
  runStage: async () => ({ outcome: 'passed' }),
  openReview: async ({ goalId, kind, attempt }) => ({
    ...{ reviewId: `${goalId}/${kind}/${attempt}`, decided: true },
  }),
  settleReview: async () => approved,
  integrateTask: async () => ({ outcome: 'merged' }),
  mergeGoal: async () => ({ outcome: 'merged', commit: 'c0ffee' }),
  report: async () => undefined,
  endGoal: async () => undefined,
}
const activities = Object.fromEntries(
  Object.entries(ALL_WELL).map(([name, well]) => [
    name,
    (input: { goalId?: string; reviewId?: string }) => {
      const goalId = input.goalId ?? input.reviewId?.split('/')[0] ?? ''
      const scripted = scripts.get(goalId)?.[name as keyof Activities] ?? well
      return (scripted as (input: unknown) => Promise<unknown>)(input)
    },
  ]),
)

let connection: Connection
let native: NativeConnection
let worker: Worker
let running: Promise<void>
beforeAll(async () => {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } },
  })
  const address = inject('temporalAddress')
  connection = await Connection.connect({ address })
  native = await NativeConnection.connect({ address })
  worker = await Worker.create({
    ...{ connection: native, taskQueue, activities, maxHeartbeatThrottleInterval: '50ms' },
    workflowBundle: { codePath: join(inject('dist'), 'workflow-bundle.js') },
  })
  running = worker.run()
}, 60_000)
afterAll(async () => {
  worker?.shutdown()
  await running
  await native?.close()
  await connection?.close()
})

function fileGoal(script: (goalId: string) => Partial<Activities>) {
  const goalId = randomUUID()
  scripts.set(goalId, script(goalId))
  return new Client({ connection }).workflow.start(GOAL_WORKFLOW, {
    ...{ workflowId: goalWorkflowId(goalId), taskQueue, args: [{ v: 1, goalId }] },
  })
}

test('a pipeline that broke has ended before the next one begins, and can be cancelled meanwhile', async () => {
  const log: string[] = []
  const asked = (times: number) =>
    until(() => log.filter((line) => line === 'asked').length === times, {
      ...{ ms: 20_000, what: `question ${times}` },
    })
  const goal = await fileGoal(() => ({
    async runStage({ stage }) {
      if (stage === 'test_spec') return { outcome: 'budget', summary: 'used up' }
      if (stage !== 'security_spec') return { outcome: 'passed' }
      log.push('begun')
      const beat = setInterval(() => Context.current().heartbeat(), 50)
      try {
        return await Context.current().cancelled
      } finally {
        clearInterval(beat)
        log.push('over')
      }
    },
    async settleReview() {
      await until(() => log.at(-1) === 'begun', { ms: 20_000, what: 'the stage beside it' })
      throw ApplicationFailure.nonRetryable('failed by an operator')
    },
    async report({ status }) {
      if (status === 'needs_attention') log.push('asked')
    },
    async endGoal({ reason }) {
      log.push(reason)
    },
  }))
  await asked(1)
  await goal.signal(RETRY_STAGE, { key: 'k1' })
  await asked(2)
  await goal.signal(CANCEL_GOAL, { reason: 'enough' })
  await until(() => log.includes('enough'), { ms: 20_000, what: 'the end' })
  await goal.result()
  const once = ['begun', 'over', 'asked']
  expect(log).toEqual([...once, ...once, 'enough'])
}, 60_000)

test('an end that fails asks for a person, whose retry tries it again', async () => {
  const log: (string | null)[] = []
  const goal = await fileGoal(() => ({
    async runStage() {
      log.push('begun')
      return { outcome: 'failed', reason: 'broke' }
    },
    async report({ reason }) {
      log.push(reason)
    },
    async endGoal({ reason }) {
      if (!log.includes('no branch')) throw ApplicationFailure.nonRetryable('no branch')
      log.push(reason)
    },
  }))
  await until(() => log.includes('broke'), { ms: 20_000, what: 'the first question' })
  await goal.signal(CANCEL_GOAL, { reason: 'enough' })
  await until(() => log.includes('no branch'), { ms: 20_000, what: 'the second question' })
  await goal.signal(RETRY_STAGE, { key: 'k1' })
  await goal.result()
  expect(log).toEqual(['begun', 'broke', 'no branch', null, 'enough'])
}, 60_000)

test('a workflow that begins again goes past what a person answered before', async () => {
  const log: string[] = []
  const goal = await fileGoal(() => ({
    async runStage({ stage, attempt }) {
      if (stage !== 'spec') return { outcome: 'passed' }
      log.push(`attempt ${attempt}`)
      return attempt === 1 ? { outcome: 'failed', reason: 'broke' } : { outcome: 'passed' }
    },
    async report({ attempt }) {
      log.push(`known ${attempt}`)
      return { answered: true }
    },
  }))
  await goal.result()
  expect(log).toEqual(['attempt 1', 'known 1', 'attempt 2'])
}, 60_000)

test('a retry that is delivered twice starts nothing that failed since', async () => {
  let questions = 0
  const goal = await fileGoal(() => ({
    runStage: async ({ stage, attempt }) =>
      stage === 'spec' && attempt < 3
        ? { outcome: 'failed', reason: 'broke' }
        : { outcome: 'passed' },
    async report({ status }) {
      if (status === 'needs_attention') questions += 1
    },
  }))
  const asked = (times: number) =>
    until(() => questions === times, { ms: 20_000, what: `question ${times}` })
  const begun = async () =>
    (await goal.fetchHistory()).events?.filter((e) => e.activityTaskScheduledEventAttributes).length
  await asked(1)
  await goal.signal(RETRY_STAGE, { key: 'k1' })
  await asked(2)
  const before = await begun()
  await goal.signal(RETRY_STAGE, { key: 'k1' })
  await goal.query('__temporal_workflow_metadata') // answered when it has taken the signal
  expect(await begun()).toBe(before)
  await goal.signal(RETRY_STAGE, { key: 'k2' })
  await goal.result()
  expect(questions).toBe(2)
}, 60_000)

test('changes asked for by a person have rounds of their own, and so has a retry after too many, which begins with the agent that can mend it', async () => {
  const log: string[] = []
  const bad: StageResult = { outcome: 'findings', summary: 'bad' }
  const passed: StageResult = { outcome: 'passed' }
  // a person's word begins new rounds, be it a wish or a retry
  const verdicts = [bad, passed, bad, bad, bad, passed]
  const goal = await fileGoal((goalId) => ({
    async runStage({ stage, feedback }) {
      if (stage === 'implement') log.push(`implement: ${feedback}`)
      return stage === 'verify' ? (verdicts.shift() as StageResult) : { outcome: 'passed' }
    },
    async settleReview({ reviewId }) {
      if (reviewId !== `${goalId}/task/1`) return approved
      return { ...approved, decision: 'request_changes', comment: 'a person’s wish' }
    },
    async report({ status }) {
      if (status === 'needs_attention') log.push('asked')
    },
  }))
  await until(() => log.includes('asked'), { ms: 20_000, what: 'the question' })
  await goal.signal(RETRY_STAGE, { key: 'k1' })
  await goal.result()
  expect(log).toEqual([
    ...['implement: ', 'implement: bad', 'implement: a person’s wish', 'implement: bad'],
    ...['asked', 'implement: bad', 'implement: bad'],
  ])
}, 60_000)

test('what an agent was told outlives the budget it ran out of and a failure after that', async () => {
  const told: string[] = []
  let questions = 0
  const secondEnds: StageResult[] = [
    { outcome: 'passed' },
    { outcome: 'budget', summary: 'used up' },
    { outcome: 'failed', reason: 'broke' },
  ]
  const answers: Partial<Record<string, StageResult[]>> = {
    spec: [...secondEnds],
    implement: [...secondEnds],
    verify: [{ outcome: 'findings', summary: 'FIX-THIS' }],
  }
  const goal = await fileGoal((goalId) => ({
    startGoal: async () => ({ skipSpecReview: false, maxVerifyRounds: 1, adapters }),
    async runStage({ stage, attempt, feedback }) {
      if (stage === 'spec' || stage === 'implement') told.push(`${stage} ${attempt}: ${feedback}`)
      return answers[stage]?.shift() ?? { outcome: 'passed' }
    },
    async settleReview({ reviewId }) {
      if (reviewId === `${goalId}/spec/1`)
        return { ...approved, decision: 'request_changes', comment: 'One task' }
      return { ...approved, comment: 'granted' }
    },
    async report({ status }) {
      if (status === 'needs_attention') questions += 1
    },
  }))
  for (const question of [1, 2]) {
    await until(() => questions === question, { ms: 20_000, what: `question ${question}` })
    await goal.signal(RETRY_STAGE, { key: `k${question}` })
  }
  await goal.result()
  expect(told).toEqual([
    ...['spec 1: ', 'spec 2: One task', 'spec 2: One task', 'spec 3: One task'],
    ...['implement 1: ', 'implement 2: FIX-THIS', 'implement 2: FIX-THIS', 'implement 3: FIX-THIS'],
  ])
}, 60_000)

test('who looks at the workflows sees the agents of the profile that a person chose meanwhile', async () => {
  const reasons: (string | null)[] = []
  let tries = 0
  const goal = await fileGoal(() => ({
    async runStage({ stage }) {
      if (stage !== 'verify' || ++tries > 1) return { outcome: 'passed' }
      return { outcome: 'failed', reason: 'not installed' }
    },
    async report({ status, reason }) {
      if (status === 'needs_attention') reasons.push(reason)
    },
  }))
  await until(() => reasons.length === 1, { ms: 20_000, what: 'the question' })
  await goal.signal(SET_ADAPTERS, { adapters: { ...adapters, verify: 'other', audit: 'other' } })
  await goal.signal(RETRY_STAGE, { key: 'k1' })
  await goal.result()
  const task = new Client({ connection }).workflow.getHandle(
    taskWorkflowId(`${goal.workflowId.replace(/^goal./, '')}-t`),
  )
  const stages = [...(await summaries(task)), ...(await summaries(goal))]
  expect(stages.filter((said) => /^(verify|audit)/.test(said))).toEqual([
    ...['verify · demo · attempt 1', 'verify · other · attempt 2', 'audit · other · attempt 1'],
  ])
}, 60_000)

test('who looks at a goal whose tasks are at work sees them, and where it was when it was cancelled', async () => {
  let begun = false
  const goal = await fileGoal(() => ({
    async runStage({ stage }) {
      if (stage !== 'implement') return { outcome: 'passed' }
      begun = true
      const beat = setInterval(() => Context.current().heartbeat(), 50)
      return Context.current().cancelled.finally(() => clearInterval(beat))
    },
  }))
  const found = async () =>
    (await goal.describe()).typedSearchAttributes
      .getAll()
      .map(({ key, value }) => [key.name, value])
  await until(() => begun, { ms: 20_000, what: 'the task' })
  const { currentDetails } = await goal.query<{ currentDetails: string }>(
    '__temporal_workflow_metadata',
  )
  expect(currentDetails).toContain('| Security Spec | passed |\n| Tasks | 0 of 1 done |')
  expect(currentDetails).not.toContain('Review')
  expect(await found()).toContainEqual(['GoalStage', 'implement'])
  await goal.signal(CANCEL_GOAL, { reason: 'enough' })
  await goal.result()
  expect(await found()).toEqual(
    expect.arrayContaining([
      ['GoalStatus', 'cancelled'],
      ['GoalStage', 'implement'],
    ]),
  )
}, 60_000)

test('who looks for workflows finds those that are paused, that need a person, and those that are over', async () => {
  const asked: string[] = []
  let tries = 0
  const goal = await fileGoal(() => ({
    async runStage({ stage }) {
      if (stage === 'spec' && ++tries === 1) return { outcome: 'failed', reason: 'not installed' }
      return { outcome: 'passed' }
    },
    async report({ status }) {
      asked.push(status)
    },
  }))
  const statusOf = async (handle: WorkflowHandle) =>
    (await handle.describe()).typedSearchAttributes
      .getAll()
      .find(({ key }) => key.name === 'GoalStatus')?.value
  const becomes = (status: string) =>
    until(async () => (await statusOf(goal)) === status, {
      ms: 20_000,
      what: `a goal that is ${status}`,
    })
  await becomes('needs_attention')
  await goal.signal(SET_PAUSED, { paused: true })
  await becomes('paused')
  await goal.signal(RETRY_STAGE, { key: 'k1' })
  await until(() => asked.includes('active'), { ms: 20_000, what: 'the retry' })
  expect(await statusOf(goal)).toBe('paused')
  await goal.signal(SET_PAUSED, { paused: false })
  await goal.result()
  await becomes('completed')
  const task = new Client({ connection }).workflow.getHandle(
    taskWorkflowId(`${goal.workflowId.replace(/^goal./, '')}-t`),
  )
  expect(await statusOf(task)).toBe('completed')
}, 60_000)

/** What a workflow's history says of each of its activities. */
async function summaries(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory()
  return (events ?? []).flatMap(({ userMetadata }) => {
    const data = userMetadata?.summary?.data
    return data ? [JSON.parse(Buffer.from(data).toString('utf8'))] : []
  })
}

test('work that is done in place and fails asks for a person, whose retry does it again', async () => {
  const reasons: (string | null)[] = []
  const goal = await fileGoal(() => ({
    async startGoal(input) {
      if (reasons.length > 0) return ALL_WELL.startGoal(input)
      throw ApplicationFailure.nonRetryable('The target branch main does not exist.')
    },
    async report({ reason }) {
      reasons.push(reason)
    },
  }))
  await until(() => reasons.length === 1, { ms: 20_000, what: 'the question' })
  expect(reasons).toEqual(['The target branch main does not exist.'])
  await goal.signal(RETRY_STAGE, { key: 'k1' })
  await goal.result()
}, 60_000)
