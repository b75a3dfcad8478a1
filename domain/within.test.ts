import { expect, test } from 'vitest'
import { within } from './within.ts'

test('what fits stays as it is', () => {
  expect(within(['one', 'two'], 6)).toEqual(['one', 'two'])
  expect(within([], 6)).toEqual([])
})

test('of what does not fit the long ones are cut, to one length, and none is left out', () => {
  const texts = ['short', `a${'-'.repeat(98)}z`, `b${'-'.repeat(998)}y`, 'brief']
  const cut = within(texts, 100)
  expect(cut.join('').length).toBeLessThanOrEqual(100)
  expect(cut[0]).toBe('short')
  expect(cut[3]).toBe('brief')
  expect(cut[1]).toMatch(/^a-{20} … -{20}z$/)
  expect(cut[2]).toMatch(/^b-{20} … -{20}y$/)
})

test('however many they are', () => {
  const cut = within(
    Array.from({ length: 500 }, (_, n) => `REQ-${n}: ${'x'.repeat(300)}`),
    2000,
  )
  expect(cut.join('').length).toBeLessThanOrEqual(2000)
  expect(cut).toHaveLength(500)
  expect(cut[7]).toBe('REQ-')
})
