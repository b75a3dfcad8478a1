import { beforeAll, expect, test, vi } from 'vitest'
import type { SpecOutput } from '../../../../contracts/outputs.ts'
import type { DraftComment } from './compose-message.ts'
import type { ReviewDraft } from './review-draft.ts'
import { editsAsRemarks } from './spec/edits-as-remarks.ts'

let unsentOf: typeof import('./review-draft.ts').unsentOf
beforeAll(async () => {
  vi.stubGlobal('window', new EventTarget()) // the drafts listen to other windows
  ;({ unsentOf } = await import('./review-draft.ts'))
})

const spec: SpecOutput = {
  ...{ title: 'Slugs', summary: 'Make slugs' },
  requirements: [
    { id: 'REQ-1', text: 'One' },
    { id: 'REQ-2', text: 'Two' },
  ],
  acceptance: [{ id: 'AC-1', text: 'Seen' }],
  tasks: [{ key: 'a', title: 'A', description: 'Do a', role: 'implement', dependsOn: [] }],
}
const remark = (text: string): DraftComment => ({
  ...{ id: text.slice(0, 3), place: { kind: 'file', file: 'a.ts' }, text },
})
const draft: ReviewDraft = {
  ...{
    verdict: 'request_changes',
    summary: 'Nearly',
    comments: [remark('One')],
    checked: ['REQ-1'],
  },
  ...{ edits: { ...spec, summary: 'Mine' }, at: 1 },
}

test('a decision takes along what it sent, and nothing that another window wrote meanwhile', () => {
  expect(unsentOf(draft, draft, 'approve')).toMatchObject({
    summary: '',
    comments: [],
    checked: [],
  })
  expect(unsentOf(draft, draft, 'approve').edits).toBe(undefined)
  expect(unsentOf(draft, draft, 'request_changes').edits).toEqual(draft.edits)
  const changing = { ...draft, comments: [{ ...remark('One'), writing: 'One more' }] }
  expect(unsentOf(changing, draft, 'request_changes').comments).toEqual(changing.comments)
  const now = { ...draft, summary: 'Nearly there', comments: [remark('One!'), remark('Two')] }
  const left = unsentOf({ ...now, edits: spec }, draft, 'approve')
  expect(left).toMatchObject({ summary: 'Nearly there', edits: spec })
  expect(left.comments.map(({ text }) => text)).toEqual(['One!', 'Two'])
})

test('another order that cannot be had any more is said in words too', () => {
  const edited = { ...spec, requirements: spec.requirements.toReversed() }
  expect(editsAsRemarks(spec, edited)).toMatchObject([
    { place: { section: 'Requirements' }, text: 'In this order: REQ-2, REQ-1' },
  ])
})

test('edits that cannot be made any more are said in words, part by part', () => {
  const [one] = spec.requirements
  const tasks = spec.tasks.map((task) => ({ ...task, dependsOn: ['b'] }))
  const edited = { ...spec, summary: 'Mine', requirements: one ? [one] : [], tasks }
  const said = editsAsRemarks(spec, edited).map(({ place, text }) => [
    place.kind === 'section' && place.section,
    text,
  ])
  expect(said).toEqual([
    ['Summary', 'Mine'],
    ['REQ-2', 'Leave this out'],
    ['Task a', 'A (implement)\nAfter b\nDo a'],
  ])
})
