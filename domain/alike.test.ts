import { expect, test } from 'vitest'
import { alike, mostTypical } from './alike.ts'

test.each([
  ['Use tabs', 'use tabs!'],
  ['Please use tabs for indentation.', 'Indentation: use tabs'],
  ['Use the existing config parser', 'Use the existing config parser, write no new one'],
  ['Write the tests first', 'Please write tests first'],
  ["Don't add new dependencies", 'Do not add a new dependency'],
  ['Never add dependencies', 'avoid adding dependencies'],
  ['Use knex instead of raw SQL', 'use Knex, not raw SQL'],
  ['Keep functions small', 'Functions should be kept small, please keep functions small'],
  ['Bitte Tabs zum Einrücken nehmen', 'Tabs zum Einrucken nehmen, bitte'],
  ['请使用制表符缩进', '请使用制表符缩进。'],
  ['👍', '👍'],
])('%j and %j ask for the same', (one, other) => {
  expect(alike(one, other)).toBe(true)
  expect(alike(other, one)).toBe(true)
})

test.each([
  ['Use tabs', 'Do not use tabs'],
  ['Use tabs', 'Use spaces'],
  ['Indent with 2 spaces', 'Indent with 4 spaces'],
  ['Use knex instead of prisma', 'Use prisma instead of knex'],
  ['Write the tests first', 'Write the docs first'],
  ['Add a test for the parser', 'Add a test for the lexer of the other module'],
  ['Rename the file', 'Delete the file'],
  ['Keep the old API, but deprecate it', 'Remove the old API'],
  ['Never log passwords', 'Log passwords hashed'],
  ['Use tabs', 'Run the linter before you answer, and mend what it finds'],
  ['👍', '👎'],
  ['Please', 'Use tabs'],
])('%j and %j do not', (one, other) => {
  expect(alike(one, other)).toBe(false)
  expect(alike(other, one)).toBe(false)
})

test('of long texts the beginning is compared, so that none takes long', () => {
  const asked = `Keep the old API as it is, ${'and every caller of it, '.repeat(20)}`
  const log = Array.from({ length: 200 }, (_, n) => `line ${n} went`)
  expect(alike(`${asked}${log.join(' ')}`, `${asked}because it is old`)).toBe(true)
})

test('the most typical of several is the one that most are like, the newest of equals', () => {
  const texts = [
    'Use tabs for indentation',
    'Indent code with tabs',
    'Use tabs for the indentation',
  ]
  expect(mostTypical(texts)).toBe('Use tabs for the indentation')
  expect(mostTypical(['a b c'])).toBe('a b c')
})
