import type { ChecklistItem } from '../../../../../contracts/schemas.ts'

const GROUPS: readonly [title: string, prefix: RegExp][] = [
  ['Checks', /^check:/],
  ['Requirements', /^REQ-/],
  ['Acceptance', /^AC-/],
  ['Tests', /^TC-/],
  ['Security', /^(SEC-|second-opinion)/],
]

/** Items under their headings; within each, what did not pass comes first. */
export function groupChecklist(
  items: readonly ChecklistItem[],
): { title: string; items: ChecklistItem[] }[] {
  const titleOf = ({ id }: ChecklistItem) =>
    GROUPS.find(([, prefix]) => prefix.test(id))?.[0] ?? 'Other'
  return [...GROUPS.map(([title]) => title), 'Other']
    .map((title) => ({
      title,
      items: items.filter((item) => titleOf(item) === title).sort((a, b) => rank(a) - rank(b)),
    }))
    .filter((group) => group.items.length > 0)
}

const ORDER: readonly ChecklistItem['result'][] = ['fail', 'warn', 'unchecked', 'pass']
const rank = ({ result, second }: ChecklistItem) =>
  ORDER.indexOf(result === 'pass' && second?.disagrees ? 'warn' : result)
