import { ApplicationFailure, asyncLocalStorage, type Context } from '@temporalio/activity'
import { expect, test } from 'vitest'
import { ActivityEdge } from './interceptor.ts'

/** What an activity that fails with this ends with, in its `attempt`. */
async function endOf(
  failure: unknown,
  at: { activityType: string; attempt: number },
  log: (message: string, data: Record<string, unknown>) => void = () => undefined,
) {
  const rest = { heartbeat: () => undefined, sleep: async () => undefined }
  const context = { info: at, ...rest } as unknown as Context
  const failing = typeof failure === 'function' ? () => failure() : () => Promise.reject(failure)
  const run = () => new ActivityEdge(log).execute({ args: [], headers: {} }, failing)
  const end = await asyncLocalStorage.run(context, () => run().catch((thrown) => thrown))
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
    await endOf(full, { activityType: 'runStage', attempt }, (_message, data) => said.push(data))
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
