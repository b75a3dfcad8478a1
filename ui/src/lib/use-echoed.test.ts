import { expect, test } from 'vitest'
import { taken } from './use-echoed.ts'

test('what was typed stays as it is when it comes back late, and gives way to what came from elsewhere', () => {
  const typed = { text: 'abc', seen: '', sent: ['a', 'ab', 'abc'] }
  const late = taken(typed, 'a')
  expect(late).toEqual({ text: 'abc', seen: 'a', sent: ['ab', 'abc'] })
  expect(taken(late, 'abc')).toEqual({ text: 'abc', seen: 'abc', sent: [] })
  expect(taken(late, '')).toEqual({ text: '', seen: '', sent: [] })
})
