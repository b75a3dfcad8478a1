import { expect, test } from 'vitest'
import type { SpecOutput } from '../../../../../contracts/outputs.ts'
import { compareSpecs } from './compare-specs.ts'
import { wordDiff } from './word-diff.ts'

type SpecItem = SpecOutput['requirements'][number]
const spec: SpecOutput = {
  title: 'Slugs',
  summary: 'Make slugs',
  requirements: [
    { id: 'REQ-1', text: 'One' },
    { id: 'REQ-2', text: 'Two' },
    { id: 'REQ-3', text: 'Three' },
  ],
  acceptance: [{ id: 'AC-1', text: 'Seen' }],
  tasks: [{ key: 'a', title: 'A', description: 'Do a', role: 'implement', dependsOn: [] }],
}

test('items are told apart by their id, and what is gone stays where it was', () => {
  const next = {
    ...spec,
    summary: 'Make better slugs',
    requirements: [
      { text: 'One', id: 'REQ-1' },
      { id: 'REQ-3', text: 'Three!' },
      { id: 'REQ-4', text: 'Four' },
    ],
  }
  const change = compareSpecs(spec, next)
  expect(change.requirements.map(({ key, change: what }) => `${key} ${what}`)).toEqual([
    'REQ-1 same',
    'REQ-2 removed',
    'REQ-3 changed',
    'REQ-4 added',
  ])
  expect(change.count).toBe(4)
  expect(compareSpecs(spec, structuredClone(spec)).count).toBe(0)
})

test('another order is a change too, and a removed or a new item alone is none of the order', () => {
  const [one, two, three] = spec.requirements as [SpecItem, SpecItem, SpecItem]
  const reordered = compareSpecs(spec, { ...spec, requirements: [two, one, three] })
  expect(reordered).toMatchObject({ count: 1, reordered: ['requirements'] })
  const fourth = { id: 'REQ-4', text: 'Four' }
  const other = compareSpecs(spec, { ...spec, requirements: [fourth, one, three] })
  expect(other).toMatchObject({ count: 2, reordered: [] })
})

test('words that stay are kept, in any script', () => {
  expect(wordDiff('Make slugs now', 'Make better slugs')).toEqual([
    { kind: 'same', text: 'Make' },
    { kind: 'added', text: ' better' },
    { kind: 'same', text: ' slugs' },
    { kind: 'removed', text: ' now' },
  ])
  expect(wordDiff('שלום עולם', 'שלום רב').filter(({ kind }) => kind === 'same')).toEqual([
    { kind: 'same', text: 'שלום' },
  ])
  expect(wordDiff('', '')).toEqual([])
  const long = 'word '.repeat(2_000)
  expect(wordDiff(long, `${long}more`)).toHaveLength(2)
})
