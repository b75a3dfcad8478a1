import { expect, test } from 'vitest'
import { joined } from './goal-draft.ts'

test('a goal that was half written stays when another begins from the palette', () => {
  expect(joined('Half a thought', 'mend login')).toBe('Half a thought\n\nmend login')
  expect(joined('', 'mend login')).toBe('mend login')
  expect(joined('Half a thought', '')).toBe('Half a thought')
  // opened twice with the same words
  expect(joined('Half a thought\n\nmend login', 'mend login')).toBe('Half a thought\n\nmend login')
})
