import { describe, expect, test } from 'vitest'
import { jsonAnswer, withShape } from './json-answer.ts'

describe("the answer in an agent's last words", () => {
  test.each([
    ['bare', '{"a":1}', { a: 1 }],
    ['with words around it', 'Here it is: {"a":{"b":2}} Bye.', { a: { b: 2 } }],
    ['in a block', 'Done.\n```json\n{"a":1}\n```\n', { a: 1 }],
    [
      'in the last of several blocks',
      '```json\n{"a":1}\n```\nNo:\n```json\n{"a":2}\n```',
      { a: 2 },
    ],
    ['behind a block of something else', '```json\n{"a":1}\n```\n```sh\nls\n```', { a: 1 }],
    ['none', 'I could not do it.', undefined],
    ['only half of one', '{"a":', undefined],
    ['a bare word that is JSON', 'null', undefined],
  ])('%s', (_name, text, answer) => {
    expect(jsonAnswer(text)).toEqual(answer)
  })

  test('the shape is told once', () => {
    const schema = { type: 'object' }
    expect(withShape('Do it.', undefined)).toBe('Do it.')
    expect(withShape('Do it.', schema)).toContain('{"type":"object"}')
    expect(withShape('As {"type":"object"}.', schema).match(/"type"/g)).toHaveLength(1)
  })
})
