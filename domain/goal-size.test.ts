import { expect, test } from 'vitest'
import { readSize } from './goal-size.ts'

const list = (of: number) => Array.from({ length: of }, (_, at) => `- wish ${at}`).join('\n')

test.each([
  ['Fix the typo on the start page', 'small', '"fix the typo"'],
  ['Rename `total` to `sum` in cart.ts', 'small', '"rename"'],
  ['A one-line change: log the port', 'small', '"one-line change"'],
  ['Bump lodash and fix the type errors', 'usual', ''],
  ['Let people rename their boards', 'usual', ''],
  ['The search finds words with typos', 'usual', ''],
  ['Customers can reset their password', 'usual', ''],
  ['Rename Customer to Account across the codebase', 'usual', ''],
  [`Fix the typos:\n${list(3)}`, 'usual', ''],
  [`Fix the typo, ${'and mind what is said here '.repeat(10)}`, 'usual', ''],
  ['Explain how the billing module works', 'usual', ''],
  ['Build the auth module', 'large', '"build the auth module"'],
  ['Migrate the jobs table to bigint ids', 'large', '"migrate"'],
  [`For the shop:\n${list(5)}`, 'large', '5 things are asked for'],
  [`Fix the typo. ${'x'.repeat(1500)}`, 'large', '1514 characters'],
] as const)('%s', (text, size, because) => {
  expect(readSize(text)).toEqual({ size, because })
})

test('a text of any length is read at once', () => {
  const began = performance.now()
  readSize(`add ${'module '.repeat(20_000)}`)
  readSize('add '.repeat(50_000))
  expect(performance.now() - began).toBeLessThan(200)
})
