import { join } from 'node:path'
import { Client, type WorkflowHandle } from '@temporalio/client'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Activities } from '../activities/types.ts'
import { goalWorkflowId } from '../contracts/ids.ts'
import { GOAL_WORKFLOW, REVIEW_DECIDED, type StageAdapters } from '../contracts/messages.ts'
import { AGENT_STAGES } from '../contracts/stages.ts'
import { SEARCH_ATTRIBUTE_TYPES } from '../temporal/search-attributes.ts'
import { startTimeSkippingServer, type TimeSkippingServer } from './support/time-skipping-server.ts'
import { until } from './support/until.ts'

/** Reviews as the rows would tell of them: pending until a test decides. */
const decided = new Set<string>()
const looks = new Map<string, number>()
const steps: string[] = []

const DAY = 86_400
const task = { taskId: 't1', title: 'A task', role: 'implement' as const, dependsOn: [] }

const adapters = Object.fromEntries(AGENT_STAGES.map((stage) => [stage, 'demo'])) as StageAdapters

/** The real workflows on activities that only note what they were asked; nothing else can be 30 days old in a test. */
const activities: Activities = {
  startGoal: async () => ({ skipSpecReview: false, maxVerifyRounds: 2, adapters }),
  async runStage({ goalId, stage }) {
    steps.push(`${goalId} ${stage}`)
    return { outcome: 'passed' }
  },
  openReview: async ({ goalId, kind }) => ({
    reviewId: `${goalId}/${kind}`,
    decided: kind !== 'spec',
  }),
  async settleReview({ reviewId }) {
    looks.set(reviewId, (looks.get(reviewId) ?? 0) + 1)
    if (reviewId.endsWith('/spec') && !decided.has(reviewId)) return { decided: false }
    const tasks = reviewId.endsWith('/spec') ? [{ ...task, taskId: `${reviewId}/t1` }] : []
    return { decided: true, decision: 'approve', comment: null, tasks }
  },
  approveSpec: async () => [],
  integrateTask: async () => ({ outcome: 'merged' }),
  mergeGoal: async () => ({ outcome: 'merged', commit: 'c0ffee' }),
  report: async () => undefined,
  endGoal: async () => undefined,
}

let server: TimeSkippingServer
let client: Client
let worker: Worker
let running: Promise<void>

beforeAll(async () => {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } },
  })
  server = await startTimeSkippingServer()
  await server.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: SEARCH_ATTRIBUTE_TYPES,
  })
  client = new Client({ connection: server.connection })
  worker = await Worker.create({
    connection: await NativeConnection.connect({ address: server.address }),
    taskQueue: 'core',
    workflowBundle: { codePath: join(inject('dist'), 'workflow-bundle.js') },
    activities,
  })
  running = worker.run()
}, 120_000)

afterAll(async () => {
  worker?.shutdown()
  await running
  await server?.close()
})

async function fileGoal(goalId: string) {
  const handle = await client.workflow.start(GOAL_WORKFLOW, {
    workflowId: goalWorkflowId(goalId),
    taskQueue: 'core',
    args: [{ v: 1, goalId }],
  })
  await nextLook(handle)
  return handle
}

type Goal = Awaited<ReturnType<typeof fileGoal>>

/** When it looks at its review again, in seconds of the server's clock; it does nothing until then. */
async function nextLook(goal: WorkflowHandle): Promise<number> {
  const timer = await until(
    async () => {
      const last = (await goal.fetchHistory()).events?.at(-1)
      return last?.timerStartedEventAttributes ? last : undefined
    },
    { ms: 60_000, what: 'the review to be waited for' },
  )
  const { eventTime, timerStartedEventAttributes } = timer
  return (
    Number(eventTime?.seconds) + Number(timerStartedEventAttributes?.startToFireTimeout?.seconds)
  )
}

/** From look to look, never over one that is under way: it would have timed out for the server. */
async function letPass(days: number, goal: Goal, reviewId: string) {
  const end = (await server.now()).getTime() / 1000 + days * DAY
  for (let due = await nextLook(goal); due <= end; due = await nextLook(goal)) {
    const seen = looks.get(reviewId) ?? 0
    await server.skip(due - (await server.now()).getTime() / 1000 + 1)
    await until(() => (looks.get(reviewId) ?? 0) > seen, { ms: 60_000, what: 'a look' })
  }
  await server.skip(end - (await server.now()).getTime() / 1000)
}

test('a review that has waited 30 days is decided, and the goal goes on to its merge', async () => {
  const goal = await fileGoal('patient')
  const before = await server.now()
  await letPass(30, goal, 'patient/spec')
  const after = await server.now()
  expect((after.getTime() - before.getTime()) / 1000).toBeGreaterThanOrEqual(30 * DAY)
  expect((await goal.describe()).status.name).toBe('RUNNING')
  expect(steps.filter((step) => step.startsWith('patient'))).toEqual(['patient spec'])
  // it looks on a slow timer: a month of waiting may cost no more than a few looks a day
  expect(looks.get('patient/spec')).toBeGreaterThanOrEqual(30)
  expect(looks.get('patient/spec')).toBeLessThan(120)

  decided.add('patient/spec')
  await goal.signal(REVIEW_DECIDED, { reviewId: 'patient/spec' })
  await goal.result()
  const went = steps.filter((step) => step.startsWith('patient')).map((step) => step.split(' ')[1])
  expect(went.sort()).toEqual([
    'audit',
    'implement',
    'security_spec',
    'spec',
    'test_spec',
    'verify',
  ])
  expect((await goal.fetchHistory()).events?.length).toBeLessThan(600)
}, 90_000)

test('a decision whose signal was lost is found within a day', async () => {
  const goal = await fileGoal('deaf')
  await letPass(10, goal, 'deaf/spec')
  decided.add('deaf/spec')
  await server.skip(DAY + 60)
  await goal.result()
  expect(steps).toContain('deaf audit')
}, 90_000)

test('a forged signal decides nothing', async () => {
  const goal = await fileGoal('forged')
  const before = looks.get('forged/spec') ?? 0
  await goal.signal(REVIEW_DECIDED, { reviewId: 'forged/spec' })
  await until(() => (looks.get('forged/spec') ?? 0) > before, { ms: 10_000, what: 'a look' })
  expect((await goal.describe()).status.name).toBe('RUNNING')
  expect(steps.filter((step) => step.startsWith('forged'))).toEqual(['forged spec'])
  await goal.terminate()
}, 60_000)
