import { expect, test } from 'vitest'
import type { StoredEvent } from '../../../contracts/events.ts'
import { staleAfter } from './live-rules.ts'

const after = (type: string, data: object) => staleAfter({ type, data } as unknown as StoredEvent)

test('a task is read again when one of its stages or runs says something: they change its stage, its agent and its spending', () => {
  const ids = { goalId: 'g', runId: 'r' }
  for (const type of ['stage.status', 'run.status']) {
    expect(after(type, { ...ids, taskId: 't', status: 'running' })).toContainEqual(['task', 't'])
    expect(
      after(type, { ...ids, taskId: null, status: 'running' }).map(([entity]) => entity),
    ).not.toContain('task')
  }
})

test('a task is read again when its goal is paused between two of its stages: nobody is at work on it then', () => {
  expect(after('goal.status', { goalId: 'g', status: 'paused' })).toContainEqual(['task'])
})

test('a page of an earlier review hears that there is a newer one', () => {
  const data = { goalId: 'g', reviewId: 'r2' }
  expect(after('review.pending', data)).toContainEqual(['review'])
  expect(after('review.decided', data)).toContainEqual(['review', 'r2'])
})
