import type { SpecOutput, SpecTask } from '../../../../../contracts/outputs.ts'
import type { DraftComment } from '../compose-message.ts'
import { compareSpecs, type ItemChange, keyOf } from './compare-specs.ts'

/** What a person's edits say, as a remark on each part that they change: words that still can be sent when the fields cannot. */
export function editsAsRemarks(original: SpecOutput, edited: SpecOutput): DraftComment[] {
  const { title, summary, requirements, acceptance, tasks, reordered } = compareSpecs(
    original,
    edited,
  )
  const said = <T>(rows: readonly ItemChange<T>[], name: string, textOf: (item: T) => string) =>
    rows
      .filter(({ change }) => change !== 'same')
      .map(({ key, after }) => remark(name + key, after ? textOf(after) : 'Leave this out'))
  return [
    ...(title.before === title.after ? [] : [remark('Title', title.after)]),
    ...(summary.before === summary.after ? [] : [remark('Summary', summary.after)]),
    ...said([...requirements, ...acceptance], '', ({ text }) => text),
    ...said(tasks, 'Task ', textOfTask),
    ...reordered.map((list) =>
      remark(LISTS[list], `In this order: ${edited[list].map(keyOf).join(', ')}`),
    ),
  ]
}

const LISTS = { requirements: 'Requirements', acceptance: 'Acceptance', tasks: 'Tasks' } as const

const remark = (section: string, text: string): DraftComment => ({
  ...{ id: section, place: { kind: 'section', section }, text },
})

const textOfTask = ({ title, description, role, dependsOn, agent }: SpecTask) =>
  [
    `${title} (${role}${agent ? `, by ${agent.adapter}` : ''})`,
    ...(dependsOn.length > 0 ? [`After ${dependsOn.join(', ')}`] : []),
    description,
  ].join('\n')
