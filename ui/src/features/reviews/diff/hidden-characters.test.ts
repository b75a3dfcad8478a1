import { expect, test } from 'vitest'
import { showHidden, showName } from './hidden-characters.ts'

test('what cannot be seen is shown by its code, and the rest stays', () => {
  expect(showHidden('if (admin\u202e) {}\u200b')).toEqual({
    text: 'if (admin⟨U+202E⟩) {}⟨U+200B⟩',
    count: 2,
  })
  expect(showHidden('naïve 日本語 👩 \t\r\n')).toEqual({ text: 'naïve 日本語 👩 \t\r\n', count: 0 })
})

test('a name is not read as another one', () => {
  expect(showName('src/photo\u202egpj.js')).toBe('src/photo⟨U+202E⟩gpj.js')
  expect(showName('src/ze\u200bro\n.js')).toBe('src/ze⟨U+200B⟩ro⟨U+000A⟩.js')
  expect(showName('docs/naïve/日本語.md')).toBe('docs/naïve/日本語.md')
})
