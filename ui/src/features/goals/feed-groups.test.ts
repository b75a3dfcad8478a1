import { expect, test } from 'vitest'
import type { EventBody, StoredEvent } from '../../../../contracts/events.ts'
import { foldFeed } from './feed-groups.ts'

const goalId = 'g'
let seq = 0
const event = (body: EventBody, actor = 'dispatch'): StoredEvent => {
  seq += 1
  const at = new Date(Date.UTC(2026, 4, 1, 12, 0, seq)).toISOString()
  return { ...body, stream: 'goal/g', seq, feedSeq: seq, actor, at }
}
const stage = (
  name: 'spec' | 'verify' | 'frontend' | 'review',
  status: 'running' | 'passed' | 'failed' | 'skipped' | 'review',
  more: { taskId?: string | null; attempt?: number; reason?: string | null } = {},
) =>
  event({
    type: 'stage.status',
    data: { goalId, taskId: null, attempt: 1, reason: null, ...more, stage: name, status },
  })
const run = (
  runId: string,
  status: 'running' | 'done',
  tokens: number,
  taskId: string | null = null,
) =>
  event({
    type: 'run.status',
    data: {
      ...{ goalId, taskId, runId, stage: 'spec', adapter: 'claude', status, tokens },
      ...{ reason: null, detail: null },
    },
  })

test('an attempt of a stage is one act, with what its agent reported', () => {
  const acts = foldFeed([
    stage('spec', 'running'),
    run('r1', 'running', 0),
    run('r1', 'done', 1200),
    stage('spec', 'passed'),
  ])
  expect(acts).toHaveLength(1)
  expect(acts[0]).toMatchObject({
    title: 'Spec',
    status: 'passed',
    runIds: ['r1'],
  })
  expect(acts[0]?.lines.map(({ text }) => text)).toEqual([
    ...['Running', 'Agent running', 'Agent done, 1.2k tokens', 'Passed'],
  ])
})

test('tasks at the same stage and a second attempt are acts of their own', () => {
  const acts = foldFeed([
    stage('verify', 'running', { taskId: 't1' }),
    stage('verify', 'running', { taskId: 't2' }),
    stage('verify', 'failed', { taskId: 't1', reason: 'two tests fail' }),
    stage('verify', 'running', { taskId: 't1', attempt: 2 }),
    stage('verify', 'passed', { taskId: 't2' }),
  ])
  expect(acts.map(({ title, taskId, status }) => [title, taskId, status])).toEqual([
    ['Verify', 't1', 'failed'],
    ['Verify', 't2', 'passed'],
    ['Verify, attempt 2', 't1', 'running'],
  ])
  expect(acts[0]?.detail).toBe('two tests fail')
})

test('a decision is told where it was asked for, with who decided', () => {
  const pending = event({
    type: 'review.pending',
    data: { goalId, taskId: null, reviewId: 'r', kind: 'spec', tier: 'block', reason: 'always' },
  })
  expect(foldFeed([pending])[0]).toMatchObject({ title: 'Spec review', status: 'review' })
  const decided = event(
    {
      type: 'review.decided',
      data: {
        goalId,
        taskId: null,
        reviewId: 'r',
        decision: 'request_changes',
        comment: 'smaller',
      },
    },
    'person:Ada',
  )
  const acts = foldFeed([pending, decided])
  expect(acts).toHaveLength(1)
  expect(acts[0]).toMatchObject({ status: 'changes_requested', detail: 'smaller' })
  expect(acts[0]?.lines.at(-1)?.text).toBe('Changes requested by Ada')
})

test('a review that policy decided says who decided, a correction how far it came', () => {
  const of = { goalId, taskId: null }
  const decided = { ...of, reviewId: 'r', decision: 'approve', comment: null } as const
  const correction = { ...of, runId: 'r1', correctionId: 'c', text: 'Other one' }
  const acts = foldFeed([
    event({ type: 'review.decided', data: decided }, 'policy'),
    event({ type: 'correction.status', data: { ...correction, state: 'queued' } }),
    event({ type: 'correction.status', data: { ...correction, state: 'applied' } }),
  ])
  expect(acts).toMatchObject([
    { title: 'Review', status: 'approved', detail: 'approved by policy', reviewId: 'r' },
    { title: 'Correction', status: 'done', detail: 'Other one', runIds: ['r1'] },
  ])
  expect(acts[1]?.lines.map(({ text }) => text)).toEqual(['Queued', 'Applied'])
})

test('what was not needed and what the strip tells is left out', () => {
  const acts = foldFeed([
    stage('frontend', 'skipped', { taskId: 't1', reason: 'no page' }),
    stage('review', 'passed', { taskId: 't1' }),
    event({
      type: 'goal.status',
      data: { goalId, status: 'active', stage: 'spec', reason: 'waits' },
    }),
    event({ type: 'goal.status', data: { goalId, status: 'paused', stage: 'spec', reason: null } }),
    event(
      { type: 'goal.status', data: { goalId, status: 'active', stage: 'spec', reason: null } },
      'person:Ada',
    ),
  ])
  expect(acts.map(({ title, detail }) => [title, detail])).toEqual([
    ['Goal paused', null],
    ['Goal goes on', 'by Ada'],
  ])
})

test('a notice about the goal is an act that asks to be looked at', () => {
  const data = { level: 'warn', text: 'The git settings of p changed' } as const
  expect(foldFeed([event({ type: 'system.notice', data })])).toMatchObject([
    { title: 'Look at this', status: 'needs_attention', detail: data.text },
  ])
})
