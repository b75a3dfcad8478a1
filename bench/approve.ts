import type { ProfileSnapshot } from '../contracts/schemas.ts'
import { AGENT_STAGES } from '../contracts/stages.ts'
import { createGoal } from '../db/goals.ts'
import { isRefusal } from '../db/refusal.ts'
import { type FloorWorker, startFloorWorker } from './lib/floor-worker.ts'
import { memoryOf } from './lib/memory.ts'
import { roundRobin } from './lib/round-robin.ts'
import { type Bench, type BenchContext, compared, type Row } from './lib/row.ts'
import { type StubStack, startStubStack } from './lib/stub-stack.ts'
import type { ActivityReport } from './lib/stub-worker.ts'
import { within } from './lib/within.ts'

/** Many goals that wait for a person: how quickly an approval takes effect, and what their waiting costs. */
export const approve: Bench = {
  name: 'approve',
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
  { quick, say }: BenchContext,
  stack: StubStack,
  floor: FloorWorker,
): Promise<Row[]> {
  const half = quick ? 60 : 500
  const rounds = quick ? 7 : 21
  await park(stack, 1)
  const memory = [workerMemory(stack)]
  for (const count of [half - 1, half]) {
    const started = performance.now()
    await park(stack, count)
    const perSecond = (count / (performance.now() - started)) * 1000
    say(`approve: ${count} goals filed and parked, ${perSecond.toFixed(0)} a second`)
    memory.push(workerMemory(stack))
  }
  const newest = await pending(stack, 'desc', rounds + 1)
  const oldest = await pending(stack, 'asc', rounds + 1)
  const goals = half * 2
  const floorWhat = 'signal + 1 empty activity'
  const measureOn = (reviews: readonly string[]) =>
    roundRobin({
      rounds,
      subject: (round) => approveOne(stack, reviews[round] ?? ''),
      floor: () => floor.signal(),
    })
  const cached = await measureOn(newest)
  const evicted = await measureOn(oldest)
  return [
    compared(
      'approve.cached',
      `approve to next stage, ${goals} goals wait, one in memory`,
      cached,
      {
        floor: floorWhat,
        ...{ aim: '<= 35 ms, durable', met: cached.subject <= 35 },
        peers: '10 ms (in one process, not durable) to 3.7 s',
      },
    ),
    compared('approve.evicted', 'the same, one that was evicted and replays', evicted, {
      floor: floorWhat,
      ...{ aim: '<= 35 ms, durable', met: evicted.subject <= 35 },
    }),
    ...memoryRows(memory, half),
  ]
}

function memoryRows(memory: readonly number[], half: number): Row[] {
  const [none = 0, some = 0, all = 0] = memory
  const mb = (bytes: number) => bytes / 1e6
  const perGoal = (all - some) / half / 1000
  return [
    {
      ...{
        id: 'memory.waiting',
        what: `worker memory per waiting goal, from ${half} to ${2 * half}`,
      },
      ...{ unit: 'kB', value: Math.max(0, perGoal), aim: '<= 60 kB', met: perGoal <= 60 },
      note: `RSS of the worker with 1, ${half} and ${2 * half} goals that wait: ${[none, some, all].map((bytes) => `${mb(bytes).toFixed(0)} MB`).join(', ')}; at most 100 are kept in memory, and no goal has a process, timer or watcher of its own`,
      peers: '335 MB for a live `claude` process',
    },
  ]
}

const workerMemory = (stack: StubStack) => memoryOf(stack.pid('worker')).rss

/** Files goals and waits until each of them waits for the review of its spec. */
async function park(stack: StubStack, count: number): Promise<void> {
  const { knex } = stack.database
  const before = await countPending(stack)
  const base = stack.git('rev-parse', 'main')
  for (let done = 0; done < count; done += 50)
    await fileGoals(stack, Math.min(50, count - done), base)
  const deadline = Date.now() + 300_000
  while ((await countPending(stack)) < before + count) {
    if (Date.now() > deadline) {
      const stuck = await knex('goals').where({ status: 'needs_attention' }).first('reason')
      throw new Error(`the goals did not come to their reviews: ${stuck?.reason}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** As the API files them, but with a branch already: what is measured here is not git. */
async function fileGoals(stack: StubStack, count: number, base: string): Promise<void> {
  await stack.database.change(async (tx, emit) => {
    for (let n = 0; n < count; n += 1) {
      const goal = await createGoal(tx, emit, {
        ...{ projectId: stack.projectId, title: 'parked', description: 'parked' },
        ...{ targetBranch: 'main', actor: 'person:bench' },
      })
      if (isRefusal(goal)) throw new Error(goal.detail)
      await tx('goals')
        .where({ id: goal.id })
        .update({ base_commit: base, branch: 'dispatch/parked', profile: JSON.stringify(PROFILE) })
    }
  })
}

const PROFILE = {
  ...{ name: 'Demo', skipSpecReview: false, tokenBudget: 0, maxVerifyRounds: 2 },
  stages: Object.fromEntries(AGENT_STAGES.map((stage) => [stage, { adapter: 'demo' }])),
} as ProfileSnapshot

async function countPending(stack: StubStack): Promise<number> {
  const rows = await stack.database.knex('reviews').where({ status: 'pending' }).count({ n: '*' })
  return Number(rows[0]?.['n'] ?? 0)
}

async function pending(stack: StubStack, order: 'asc' | 'desc', count: number): Promise<string[]> {
  const rows = await stack.database
    .knex('reviews')
    .where({ status: 'pending' })
    .orderBy('id', order)
    .limit(count)
    .select('id')
  return rows.map(({ id }) => id)
}

/** Milliseconds from a person's approval to the code of the next stage. */
async function approveOne(stack: StubStack, reviewId: string): Promise<number> {
  const path = `/api/reviews/${reviewId}`
  const review = await stack.call<{ hash: string; goalId: string }>('GET', path)
  const next = new Promise<bigint>((resolve) => {
    const look = ({ goalId, stage, startedNs }: ActivityReport) => {
      if (goalId !== review.goalId || stage === null) return
      stack.reports.off('activity', look)
      resolve(BigInt(startedNs))
    }
    stack.reports.on('activity', look)
  })
  const started = process.hrtime.bigint()
  await stack.call('POST', `${path}/decision`, { decision: 'approve', hash: review.hash })
  return Number((await within(30_000, 'the stage after an approval', next)) - started) / 1e6
}
