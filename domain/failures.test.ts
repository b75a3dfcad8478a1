import { expect, test } from 'vitest'
import { FAILURE_REASONS } from '../contracts/agent.ts'
import {
  failureAdvice,
  failureInWords,
  isLimit,
  type LimitReason,
  ownPause,
  remedyFor,
} from './failures.ts'

const DAY = 86_400
const FRESH = { waited: 0 }

test('every reason has a sentence for the person, and every remedy has a bound', () => {
  for (const reason of FAILURE_REASONS) {
    expect(failureAdvice(reason)).toMatch(/^[A-Z].*\.$/)
    expect(failureInWords(reason, null, { goesOn: false }), reason).not.toContain('by itself')
    expect(remedyFor(reason, 1000, { waited: DAY }).type, reason).toBe('give_up')
  }
})

test('an agent in a loop is woken once, then a person is asked', () => {
  expect([0, 1].map((n) => remedyFor('loop', n, FRESH).type)).toEqual(['resume', 'give_up'])
})

test('crashes are resumed at once, three times; the provider is waited for as long as it asks', () => {
  expect([0, 1, 2, 3].map((n) => remedyFor('crash', n, FRESH).type)).toEqual([
    'resume',
    'resume',
    'resume',
    'give_up',
  ])
  expect(remedyFor('rate_limit', 0, { named: 90, waited: 0 })).toEqual({
    type: 'park',
    seconds: 90,
  })
  expect(remedyFor('overloaded', 0, FRESH)).toEqual({ type: 'park', seconds: 5 })
  expect(remedyFor('overloaded', 15, FRESH)).toEqual({ type: 'park', seconds: 3600 })
  expect(remedyFor('overloaded', 20, FRESH).type).toBe('give_up')
  expect(remedyFor('auth', 0, FRESH).type).toBe('give_up')
})

test.each<LimitReason>(['rate_limit', 'quota'])(
  'a %s is waited for a day in all, however often it is met',
  (reason) => {
    for (const named of [undefined, 2]) {
      let waited = 0
      let tries = 0
      for (;;) {
        const pause = named === undefined ? { waited } : { named, waited }
        const remedy = remedyFor(reason, tries, pause)
        if (remedy.type !== 'park') break
        if (named === undefined) expect(remedy.seconds).toBe(ownPause(reason, tries))
        waited += remedy.seconds
        tries += 1
      }
      expect(waited).toBeGreaterThanOrEqual(DAY)
      expect(waited).toBeLessThan(DAY + 3600)
      // and asks the provider seldom
      expect(tries).toBeLessThan(50)
    }
    expect(isLimit(reason)).toBe(true)
  },
)
