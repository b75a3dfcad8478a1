import { expect, test } from 'vitest'
import { parseJsonBody } from './json-body.ts'

const parse = (text: string) => parseJsonBody(Buffer.from(text))

test('a text of millions of escapes is read, and keys after strings with quotes and backslashes are seen', () => {
  const escapes = '\\"\\\\'.repeat(4_000_000)
  expect(parse(`{"comment":"${escapes}"}`)).toEqual({ comment: '"\\'.repeat(4_000_000) })
  expect(() => parse(String.raw`{"a":"\\","a":1}`)).toThrow('comes twice')
  expect(() => parse(String.raw`{"a":"\"}","b":{"__proto__":1}}`)).toThrow('is not known')
  expect(parse(String.raw`{"a":"\\\"","b":["\",\"c\":",{"c":"{"}]}`)).toEqual({
    ...{ a: '\\"', b: ['","c":', { c: '{' }] },
  })
})
