import { expect, test } from 'vitest'
import { showHidden } from './hidden-characters.ts'

test('what cannot be seen is shown by its code, and the rest stays', () => {
  expect(showHidden('if (admin\u202e) {}\u200b')).toEqual({
    text: 'if (admin⟨U+202E⟩) {}⟨U+200B⟩',
    count: 2,
  })
  expect(showHidden('naïve 日本語 👩 \t\r\n')).toEqual({ text: 'naïve 日本語 👩 \t\r\n', count: 0 })
})
