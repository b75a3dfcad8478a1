import { expect, test } from 'vitest'
import type { ChecklistItem, SecondOpinion } from '../contracts/schemas.ts'
import { opinionDoubts, withSecondOpinion } from './second-opinion.ts'

const item = (id: string, result: ChecklistItem['result']): ChecklistItem => ({
  ...{ id, text: id, result, evidence: 'verify looked' },
})
const checklist = [item('REQ-1', 'pass'), item('SEC-1', 'pass'), item('SEC-2', 'warn')]
const opinion = (more: Partial<SecondOpinion> = {}): SecondOpinion => ({
  ...{ adapter: 'codex', model: null, status: 'given', reason: null, items: [] },
  ...more,
})
const says = (ref: string, result: 'pass' | 'warn' | 'fail') => ({ ref, result, evidence: 'I saw' })

test('both stand side by side on security items, and on no other', () => {
  const items = [says('REQ-1', 'pass'), says('SEC-1', 'pass'), says('SEC-2', 'warn')]
  const both = withSecondOpinion(checklist, ['SEC-1', 'SEC-2'], opinion({ items }))
  expect(both.map(({ second }) => second?.result)).toEqual([undefined, 'pass', 'warn'])
  expect(both[1]?.second).toMatchObject({ adapter: 'codex', evidence: 'I saw', disagrees: false })
  expect(opinionDoubts(both, opinion({ items }))).toEqual([])
})

test.each([
  ['says otherwise', [says('SEC-1', 'fail'), says('SEC-2', 'warn')], 'SEC-1'],
  ['is milder', [says('SEC-1', 'pass'), says('SEC-2', 'pass')], 'SEC-2'],
  ['left one out', [says('SEC-2', 'warn')], 'SEC-1'],
])('one that %s disagrees, which is a doubt that names the item', (_how, items, disputed) => {
  const both = withSecondOpinion(checklist, ['SEC-1', 'SEC-2'], opinion({ items }))
  expect(opinionDoubts(both, opinion({ items }))).toEqual([
    `codex disagrees with verify on ${disputed}`,
  ])
})

test('what only the second one objects to is an item more; what it praises is none', () => {
  const items = [...['SEC-1', 'SEC-3'].map((ref) => says(ref, 'pass')), says('NEW-1', 'fail')]
  const both = withSecondOpinion(checklist, ['SEC-1'], opinion({ items }))
  expect(both.slice(3)).toMatchObject([{ id: 'second-opinion:NEW-1', result: 'fail' }])
})

test('a missing opinion is an item that nobody checked and a doubt with its reason; none that is needed is neither', () => {
  const missing = opinion({ status: 'missing', reason: 'codex is not installed' })
  const both = withSecondOpinion(checklist, ['SEC-1'], missing)
  expect(both.at(-1)).toMatchObject({ result: 'unchecked', evidence: 'codex is not installed' })
  expect(opinionDoubts(both, missing)[0]).toContain('codex is not installed')
  for (const none of [undefined, opinion({ status: 'not_needed', reason: 'no item' })]) {
    expect(withSecondOpinion(checklist, ['SEC-1'], none)).toEqual(checklist)
    expect(opinionDoubts(checklist, none)).toEqual([])
  }
})
