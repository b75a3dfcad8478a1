import { expect, test } from 'vitest'
import { FAILURE_REASONS } from '../contracts/agent.ts'
import { failureAdvice, remedyFor } from './failures.ts'

test('every reason has a sentence for the person, and every remedy has a bound', () => {
  for (const reason of FAILURE_REASONS) {
    expect(failureAdvice(reason)).toMatch(/^[A-Z].*\.$/)
    expect(remedyFor(reason, 1000, undefined).type, reason).toBe('give_up')
  }
})

test('an agent in a loop is woken once, then a person is asked', () => {
  expect([0, 1].map((n) => remedyFor('loop', n, undefined).type)).toEqual(['resume', 'give_up'])
})

test('crashes are resumed at once, three times; the provider is waited for as long as it asks', () => {
  expect([0, 1, 2, 3].map((n) => remedyFor('crash', n, undefined).type)).toEqual([
    'resume',
    'resume',
    'resume',
    'give_up',
  ])
  expect(remedyFor('rate_limit', 0, 90)).toEqual({ type: 'park', seconds: 90 })
  expect(remedyFor('quota', 1000, 3600)).toEqual({ type: 'park', seconds: 3600 })
  expect(remedyFor('rate_limit', 1000, 2).type).toBe('give_up')
  expect(remedyFor('overloaded', 0, undefined)).toEqual({ type: 'park', seconds: 5 })
  expect(remedyFor('overloaded', 15, undefined)).toEqual({ type: 'park', seconds: 3600 })
  expect(remedyFor('auth', 0, undefined).type).toBe('give_up')
})
