import { ApplicationFailure, asyncLocalStorage, type Context } from '@temporalio/activity'
import { expect, test, vi } from 'vitest'
import { ActivityEdge, type EdgeDeps } from './interceptor.ts'

type At = { activityType: string; attempt: number }

const UNTOLD: EdgeDeps = {
  ...{ log: () => undefined, noteDelay: async () => undefined, endDelay: async () => undefined },
}

/** What an activity that does this in its `attempt` ends with. */
function run(
  work: () => Promise<unknown>,
  at: At,
  { deps = {}, args = [] }: { deps?: Partial<EdgeDeps>; args?: unknown[] } = {},
) {
  const rest = { heartbeat: () => undefined, sleep: async () => undefined }
  const context = { info: at, ...rest } as unknown as Context
  const edge = new ActivityEdge({ ...UNTOLD, ...deps })
  return asyncLocalStorage.run(context, () =>
    edge.execute({ args, headers: {} }, work).catch((thrown) => thrown),
  )
}

/** What an activity that fails with this ends with, in its `attempt`. */
async function endOf(failure: unknown, at: At, more?: Parameters<typeof run>[2]) {
  const failing = typeof failure === 'function' ? () => failure() : () => Promise.reject(failure)
  const end = await run(failing, at, more)
  expect(end).toBeInstanceOf(ApplicationFailure)
  return end as ApplicationFailure
}

const full = [
  [
    'Postgres',
    Object.assign(new Error('could not extend file "base/1": No space'), { code: '53100' }),
  ],
  ['Node', Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })],
  ['git', new Error('git index-pack failed (128): fatal: write error: No space left on device')],
] as const

test.each(full)(
  'a disk that %s finds full is waited for, then a person is asked',
  async (_who, error) => {
    const first = await endOf(error, { activityType: 'mergeGoal', attempt: 1 })
    expect(first).toMatchObject({ type: 'disk_full', nonRetryable: false })
    const last = await endOf(error, { activityType: 'mergeGoal', attempt: 20 })
    expect(last).toMatchObject({ type: 'disk_full', nonRetryable: true })
    expect(last.message).toMatch(/^The disk is full \(.*\)\. Free some space, then retry\.$/)
  },
)

test('what tells a person of a failure is never given up', async () => {
  const end = await endOf(full[0][1], { activityType: 'report', attempt: 500 })
  expect(end.nonRetryable).toBe(false)
})

test('a goal that cannot be ended is tried a few times, then a person is told why', async () => {
  let tries = 0
  const failing = () => {
    tries += 1
    return Promise.reject(new Error('the branch cannot be kept'))
  }
  const end = await endOf(failing, { activityType: 'endGoal', attempt: 1 })
  expect(end).toMatchObject({ type: 'unforeseen', nonRetryable: true })
  expect(end.message).toContain('the branch cannot be kept')
  expect(tries).toBe(5)
})

test('what is tried without end is said, soon and then about every five minutes', async () => {
  const full = Object.assign(new Error('EMFILE: too many open files, open'), { code: 'EMFILE' })
  const said: unknown[] = []
  for (let attempt = 1; attempt <= 40; attempt += 1)
    await endOf(
      full,
      { activityType: 'runStage', attempt },
      { deps: { log: (_message, data) => said.push(data) } },
    )
  expect(said).toEqual([
    { activity: 'runStage', tries: 6, err: full },
    { activity: 'runStage', tries: 36, err: full },
  ])
})

test('a Postgres whose socket is gone is on its way back: nobody is asked', async () => {
  const { connect } = await import('node:net')
  const gone = await new Promise<Error>((resolve) =>
    connect({ path: '/nowhere/.s.PGSQL.5432' }).once('error', resolve),
  )
  const end = await endOf(gone, { activityType: 'mergeGoal', attempt: 1 })
  expect(end).toMatchObject({ type: 'passing', nonRetryable: false })
})

test('a goal whose work is tried again and again says so from some tries on, until it succeeds or ends', async () => {
  const away = Object.assign(new Error('too many open files'), { code: 'EMFILE' })
  const told = vi.fn(async () => undefined)
  const over = vi.fn(async () => undefined)
  const more = {
    deps: { noteDelay: told, endDelay: over },
    args: [{ goalId: 'g', taskId: 't' }],
  }
  const at = (attempt: number) => ({ activityType: 'integrateTask', attempt })
  for (let attempt = 1; attempt <= 7; attempt += 1) await endOf(away, at(attempt), more)
  const work = { goalId: 'g', work: 'integrateTask/t' }
  expect(told.mock.calls).toEqual([
    [work, 'too many open files'],
    [work, 'too many open files'],
  ])
  expect(over).not.toHaveBeenCalled()
  expect(await run(async () => 'done', at(8), more)).toBe('done')
  expect(over.mock.calls).toEqual([[work]])
  await endOf(full[0][1], { activityType: 'mergeGoal', attempt: 20 }, more)
  expect(over).toHaveBeenCalledTimes(2)
  const refused = { severity: 'ERROR', code: '53200' }
  await endOf(Object.assign(new Error('insert into "a" - out of memory'), refused), at(6), more)
  expect(told).toHaveBeenLastCalledWith(work, 'out of memory')
  // one that stands in line says why itself
  await endOf(ApplicationFailure.create({ type: 'PoolBusy' }), at(9), more)
  expect(told).toHaveBeenCalledTimes(3)
})

test('a delay that cannot be told changes nothing else', async () => {
  const gone = async () => Promise.reject(new Error('Postgres is away'))
  const more = { deps: { noteDelay: gone, endDelay: gone }, args: [{ goalId: 'g' }] }
  const at = { activityType: 'mergeGoal', attempt: 6 }
  expect(await endOf(full[0][1], at, more)).toMatchObject({ type: 'disk_full' })
  expect(await run(async () => 'done', at, more)).toBe('done')
})
