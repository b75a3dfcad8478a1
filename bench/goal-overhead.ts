import { startFloorWorker } from './lib/floor-worker.ts'
import { openLive } from './lib/live-client.ts'
import { roundRobin } from './lib/round-robin.ts'
import { type Bench, type BenchContext, compared, type Row } from './lib/row.ts'
import { median } from './lib/stats.ts'
import { type StubStack, startStubStack } from './lib/stub-stack.ts'
import type { ActivityReport } from './lib/stub-worker.ts'
import { within } from './lib/within.ts'

/** What Dispatch adds to a goal whose agents cost nothing: everything but the agents, from POST to the merge. */
export const goalOverhead: Bench = {
  name: 'goal',
  async run(context) {
    const stack = await startStubStack()
    const floor = await startFloorWorker(stack.stack.temporalAddress)
    try {
      return await measure(context, stack, floor)
    } finally {
      await floor.close()
      await stack.close()
    }
  },
}

async function measure(
  { quick }: BenchContext,
  stack: StubStack,
  floor: Awaited<ReturnType<typeof startFloorWorker>>,
): Promise<Row[]> {
  const live = await openLive(stack.stack.url)
  const goals: Goal[] = []
  let activities = 0
  const figures = await roundRobin({
    rounds: quick ? 5 : 15,
    async subject() {
      const goal = await runGoal(stack, live)
      goals.push(goal)
      activities = goal.activities.length
      return goal.ms
    },
    floor: () => floor.roundTrips(activities),
  })
  live.close()
  const last = goals.at(-1) as Goal
  const own = last.activities.filter(({ name }) => name !== 'runStage')
  const busy = median(goals.slice(1).map((goal) => sum(goal.activities)))
  const between = median(goals.slice(1).map((goal) => goal.ms - sum(goal.activities)))
  return [
    compared('goal.overhead', `a whole goal, instant agents (${activities} activities)`, figures, {
      floor: `${activities} empty activities`,
      ...{ aim: '<= 1.15x', met: figures.ratio <= 1.15 },
      note: `git and Postgres work inside the activities takes ${busy.toFixed(0)} ms of it: ${costs(goals.slice(1))}`,
    }),
    {
      ...{
        id: 'goal.between',
        what: 'the same without the work inside the activities',
        unit: 'ms',
      },
      ...{
        value: between,
        floor: { what: `${activities} empty activities`, value: figures.floor },
      },
      ...{ ratio: between / figures.floor, aim: '<= 1.15x', met: between / figures.floor <= 1.15 },
    },
    {
      ...{ id: 'goal.activities', what: "activities besides the agents' own", unit: '' },
      ...{ value: own.length, aim: '<= 12', met: own.length <= 12 },
      note: own.map(({ name }) => name).join(', '),
    },
  ]
}

interface Goal {
  ms: number
  activities: ActivityReport[]
}

let targets = 0

async function runGoal(
  stack: StubStack,
  live: Awaited<ReturnType<typeof openLive>>,
): Promise<Goal> {
  targets += 1
  const targetBranch = `target-${targets}`
  stack.git('branch', targetBranch, 'main')
  const feed = await stack.database.knex('streams').where({ name: 'feed' }).first('seq')
  const activities: ActivityReport[] = []
  const mergeReported = new Promise<void>((resolve) => {
    stack.reports.on('activity', function collect(report: ActivityReport) {
      activities.push(report)
      if (report.name !== 'mergeGoal') return
      stack.reports.off('activity', collect)
      resolve()
    })
  })
  let done: (at: number) => void
  let failed: (error: Error) => void
  const ended = new Promise<number>((resolve, reject) => {
    done = resolve
    failed = reject
  })
  await live.subscribe('feed', feed.seq, (item) => {
    if (item['type'] !== 'goal.status') return
    const { status, reason } = item['data'] as { status: string; reason: string | null }
    if (status === 'completed') done(performance.now())
    if (status === 'needs_attention') failed(new Error(`the goal needs attention: ${reason}`))
  })
  const started = performance.now()
  await stack.call('POST', '/api/goals', {
    ...{ project: stack.projectId, description: 'Add a note', skipSpecReview: true, targetBranch },
  })
  const ms = (await within(60_000, 'the end of a goal', ended)) - started
  live.unsubscribe('feed')
  await mergeReported
  return { ms, activities }
}

const sum = (activities: readonly ActivityReport[]) =>
  activities.reduce((total, { ms }) => total + ms, 0)

/** Median milliseconds of each activity, the dearest first. */
function costs(goals: readonly Goal[]): string {
  const byName = new Map<string, number[]>()
  for (const { activities } of goals)
    for (const { name, ms } of activities)
      if (name !== 'runStage') byName.set(name, [...(byName.get(name) ?? []), ms])
  return [...byName]
    .map(([name, all]) => ({ name, ms: median(all) }))
    .sort((a, b) => b.ms - a.ms)
    .map(({ name, ms }) => `${name} ${ms.toFixed(0)}`)
    .join(', ')
}
