import { expect, test } from 'vitest'
import { bestGoals } from './best-goals.ts'

test('of a thousand goals the palette offers the few that fit best, also the oldest', () => {
  const goals = Array.from({ length: 1_000 }, (_, n) => ({
    ...{ shortId: `G-${1_000 - n}`, title: n === 999 ? 'Reset the password' : 'Print more' },
  }))
  expect(bestGoals(goals, '')).toEqual(goals.slice(0, 20))
  expect(bestGoals(goals, 'reset pass').map(({ shortId }) => shortId)).toEqual(['G-1'])
  expect(bestGoals(goals, 'print')).toHaveLength(20)
})
