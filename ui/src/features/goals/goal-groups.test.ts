import { expect, test } from 'vitest'
import { reviewWait } from '../../../../contracts/figures.ts'
import type { GoalSummary } from '../../../../contracts/schemas.ts'
import { goalStatus, groupGoals } from './goal-groups.ts'
import { readGoalsSearch } from './goals-search.ts'

let number = 0
function goal(more: Partial<GoalSummary>): GoalSummary {
  number += 1
  const at = new Date(Date.UTC(2026, 4, 1, 12, number)).toISOString()
  return {
    ...{ id: `id-${number}`, shortId: `G-${number}`, title: `goal ${number}`, projectId: 'p' },
    ...{ projectName: 'shop', status: 'active', stage: 'implement', reason: null },
    ...{ targetBranch: 'main', profileName: 'Demo', pendingReviews: 0, mergedCommit: null },
    usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0, total: 0, costUsd: 0 },
    ...{ working: [], createdAt: at, updatedAt: at, ...more },
  } as GoalSummary
}

const running = goal({})
const reviewDue = goal({ pendingReviews: 2 })
const stuck = goal({ status: 'needs_attention', updatedAt: '2026-04-01T00:00:00.000Z' })
const pausedWithReview = goal({ status: 'paused', pendingReviews: 1 })
const done = goal({ status: 'completed' })
const open = [running, reviewDue, stuck, pausedWithReview]
const keysOf = (groups: ReturnType<typeof groupGoals>) =>
  groups.map(({ key, goals }) => [key, goals.map(({ shortId }) => shortId)])

test('what waits for the person is on top, the longest first; empty groups are left out', () => {
  expect(keysOf(groupGoals(open, [done], {}))).toEqual([
    ['waiting', [stuck.shortId, reviewDue.shortId]],
    ['running', [running.shortId]],
    ['paused', [pausedWithReview.shortId]],
    ['done', [done.shortId]],
  ])
  expect(keysOf(groupGoals([running], [], {}))).toEqual([['running', [running.shortId]]])
})

test('filters show one group, and words of title or id', () => {
  expect(keysOf(groupGoals(open, [done], { show: 'done' }))).toEqual([['done', [done.shortId]]])
  const q = `GOAL ${stuck.shortId.slice(2)}`
  expect(keysOf(groupGoals(open, [done], { q }))).toEqual([['waiting', [stuck.shortId]]])
  expect(groupGoals(open, [done], { q: 'nothing like it' })).toEqual([])
})

test('a goal at which nobody works and that says why waits, unless a person is asked', () => {
  const reason = 'in line, place 2: all places are taken'
  const agent = { runId: 'r', runShortId: 'A-1', adapter: 'demo', stage: 'spec', lastLine: null }
  const states = [
    goal({ reason }),
    goal({ reason, working: [agent] as GoalSummary['working'] }),
    goal({ reason, pendingReviews: 1 }),
    goal({ reason, status: 'paused' }),
    goal({ reason: reviewWait('Spec of G-1') }),
    goal({}),
  ].map(goalStatus)
  expect(states).toEqual(['waiting', 'active', 'review', 'paused', 'active', 'active'])
})

test('an address is read leniently', () => {
  expect(readGoalsSearch({ show: 'done', project: 'P-1', q: 'x', other: 1 })).toEqual({
    ...{ show: 'done', project: 'P-1', q: 'x' },
  })
  expect(readGoalsSearch({ show: 'everything', project: '', q: 7 })).toEqual({})
})
