import { expect, test } from 'vitest'
import { type Allowance, dayOf, grantedBudget, reservationOf } from './budget.ts'

const of = (scope: Allowance['scope'], budget: number, used: number, reserved = 0): Allowance => ({
  scope,
  budget,
  used,
  reserved,
})

test.each([
  ['no budget limits nothing', [], { type: 'unlimited' }],
  ['a quarter of what is left', [of('goal', 200_000, 80_000)], { type: 'part', tokens: 30_000 }],
  [
    'what others hold is not left',
    [of('goal', 200_000, 0, 120_000)],
    { type: 'part', tokens: 20_000 },
  ],
  [
    'no part too small to start with',
    [of('task', 30_000, 5_000)],
    { type: 'part', tokens: 10_000 },
  ],
  ['never more than is left', [of('task', 5_000, 1_000)], { type: 'part', tokens: 4_000 }],
  [
    'the tightest decides',
    [of('task', 900_000, 0), of('goal', 100_000, 0), of('day', 400_000, 0)],
    { type: 'part', tokens: 25_000 },
  ],
  ['used up', [of('task', 100, 100)], { type: 'used_up', of: { scope: 'task' } }],
  [
    'used up is told before what others hold, and the narrowest first',
    [of('task', 100, 50, 60), of('goal', 100, 120), of('day', 100, 120)],
    { type: 'used_up', of: { scope: 'goal' } },
  ],
  ['held by others', [of('goal', 100, 50, 60)], { type: 'taken', of: { scope: 'goal' } }],
])('%s', (_what, allowances, wanted) => {
  expect(reservationOf(allowances)).toMatchObject(wanted)
})

test('what a grant adds', () => {
  expect(grantedBudget(120, 1000)).toBe(1120)
  expect(grantedBudget(6000, 1000)).toBe(12_000)
})

test('a day begins and ends at midnight of this machine', () => {
  const { from, to } = dayOf(new Date(2026, 0, 31, 13, 45))
  expect([from, to]).toEqual([new Date(2026, 0, 31), new Date(2026, 1, 1)])
})
