import { actorName } from '../contracts/figures.ts'
import type { ChecklistItem, Review } from '../contracts/schemas.ts'
import { countOf, look } from './format.ts'
import type { Io, Style } from './io.ts'

const RESULTS = {
  pass: { icon: '✓', style: 'green' },
  warn: { icon: '!', style: 'yellow' },
  fail: { icon: '✗', style: 'red' },
  unchecked: { icon: '○', style: 'dim' },
} as const satisfies Record<Review['checklist'][number]['result'], { icon: string; style: Style }>

const DECIDED: Readonly<Record<string, string>> = {
  approve: 'approved',
  request_changes: 'changes requested',
  reject: 'rejected',
}

/** Shows everything that a decision rests on. */
export function printReview(review: Review, io: Io): void {
  const subject = review.taskShortId ?? review.goalShortId
  io.print(io.paint('bold', `${review.shortId} ${io.clean(review.title)}`))
  const facts: [string, string | null][] = [
    ['kind', `${review.kind} of ${subject}, attempt ${review.attempt}`],
    ['status', decided(review)],
    ['tier', review.tier],
    ['risk', review.risk],
    ['why', review.reason],
    ['base', review.base],
    ['head', review.head],
    ['hash', review.hash],
    ['second', opinionOf(review)],
  ]
  for (const [name, value] of facts)
    if (value) io.print(`${io.paint('dim', name.padEnd(7))} ${io.clean(value)}`)
  if (review.summary) io.print(`\n${io.clean(review.summary)}`)
  printSpec(review, io)
  for (const text of review.deviations) io.print(io.paint('yellow', `deviates: ${io.clean(text)}`))
  printFiles(review, io)
  if (review.checklist.length > 0) io.print(`\n${io.paint('bold', 'Checklist')}`)
  for (const item of review.checklist) printItem(item, io)
  for (const { severity, title, file } of review.findings)
    io.print(`${severity}: ${io.clean(title)}${file ? ` (${io.clean(file)})` : ''}`)
  for (const { attempt, decision, by, comment } of review.history)
    io.print(
      io.paint(
        'dim',
        `attempt ${attempt}: ${DECIDED[decision] ?? decision} by ${io.clean(actorName(by))}${comment ? `: ${io.clean(comment)}` : ''}`,
      ),
    )
}

/** Who gave a second opinion on security, or why there is none. */
function opinionOf({ secondOpinion, checklist }: Review): string | null {
  if (!secondOpinion) return null
  const { adapter, status, reason } = secondOpinion
  const disputed = checklist.filter(({ second }) => second?.disagrees).length
  switch (status) {
    case 'given':
      return `${adapter} ${disputed > 0 ? `disagrees on ${disputed} security items` : 'agrees on security'}`
    case 'missing':
      return `MISSING, of ${adapter}: ${reason}`
    case 'not_needed':
      return `${adapter} was not asked: ${reason}`
    default:
      return status satisfies never
  }
}

/** An item as a line of its own, with the id that `--checklist` takes. */
export function itemLine({ id, text, result, second }: ChecklistItem, io: Io): string {
  const { icon } = RESULTS[result]
  const word = second?.disagrees ? `disputed by ${second.adapter}` : result
  return io.clean(`  ${icon} ${id}: ${text === id ? '' : `${text} `}(${word})`)
}

/** What verify says of an item, and beneath it what a second agent says where the two differ. */
function printItem({ text, result, evidence, second }: ChecklistItem, io: Io) {
  const { icon, style } = RESULTS[result]
  io.print(io.paint(style, `${icon} ${result.padEnd(9)} ${io.clean(text)}`))
  printEvidence(evidence, io)
  if (!second?.disagrees) return
  const other = RESULTS[second.result]
  io.print(
    io.paint('yellow', `  disagrees ${io.clean(second.adapter)}: ${other.icon} ${second.result}`),
  )
  printEvidence(second.evidence, io)
}

/** Beneath its item, each of its lines: what a check printed has many, the last of which is empty. */
function printEvidence(evidence: string | null, io: Io) {
  for (const line of evidence?.trimEnd().split('\n') ?? [])
    io.print(io.paint('dim', `            ${io.clean(line)}`))
}

function printSpec({ spec, edited }: Review, io: Io) {
  const content = spec?.content
  if (!content || !('requirements' in content)) return
  const version = `version ${spec.version}${edited ? ', edited when it was approved' : ''}`
  io.print(`\n${io.paint('bold', `Spec, ${version}: ${io.clean(content.title)}`)}`)
  io.print(io.clean(content.summary))
  for (const { id, text } of content.requirements) io.print(`  ${io.clean(id)} ${io.clean(text)}`)
  io.print('Accepted when')
  for (const { id, text } of content.acceptance) io.print(`  ${io.clean(id)} ${io.clean(text)}`)
  io.print('Tasks')
  for (const { key, title, dependsOn } of content.tasks) {
    const after = dependsOn.length > 0 ? ` (after ${dependsOn.join(', ')})` : ''
    io.print(`  ${io.clean(key)} ${io.clean(title)}${io.clean(after)}`)
  }
}

function printFiles({ files }: Review, io: Io) {
  if (files.length === 0) return
  const sum = (pick: 'additions' | 'deletions') =>
    files.reduce((total, file) => total + file[pick], 0)
  io.print(
    `\n${io.paint('bold', `${countOf(files.length, 'file')}, +${sum('additions')} -${sum('deletions')}`)}`,
  )
  io.table(
    [
      { title: 'FILE', flexible: true },
      { title: '+' },
      { title: '-' },
      { title: 'RISK' },
      { title: 'NOTES', flexible: true },
    ],
    files.map((file) => [
      file.oldPath ? `${file.oldPath} -> ${file.path}` : file.path,
      { text: file.binary ? 'binary' : `+${file.additions}`, style: 'green' },
      { text: file.binary ? '' : `-${file.deletions}`, style: 'red' },
      { text: file.risk, ...(file.risk === 'high' ? { style: 'red' as const } : {}) },
      file.notes.join('; '),
    ]),
  )
}

/** `pending`, or what was decided by whom. */
export function decided(
  review: Pick<Review, 'status' | 'decidedBy' | 'via' | 'decidedAt'>,
): string {
  const by = review.decidedBy ? ` by ${actorName(review.decidedBy)}` : ''
  const via = review.via ? ` (${review.via})` : ''
  const at = review.decidedAt ? ` at ${review.decidedAt}` : ''
  return `${look(review.status).word}${by}${via}${at}`
}
