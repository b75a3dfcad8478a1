import type { SpecOutput, SpecTask } from '../../../../../contracts/outputs.ts'

type Change = 'same' | 'added' | 'removed' | 'changed'
/** An item of either version; `before` is absent on an added one, `after` on a removed one. */
export interface ItemChange<T> {
  key: string
  change: Change
  before?: T
  after?: T
}
export interface SpecChange {
  title: { before: string; after: string }
  summary: { before: string; after: string }
  requirements: ItemChange<SpecOutput['requirements'][number]>[]
  acceptance: ItemChange<SpecOutput['acceptance'][number]>[]
  tasks: ItemChange<SpecTask>[]
  /** Lists whose items follow each other in another order. */
  reordered: ('requirements' | 'acceptance' | 'tasks')[]
  /** How many things differ. */
  count: number
}

/** What differs between two versions of a spec; items are the same item when their id or key is. */
export function compareSpecs(before: SpecOutput, after: SpecOutput): SpecChange {
  const requirements = compareItems(before.requirements, after.requirements)
  const acceptance = compareItems(before.acceptance, after.acceptance)
  const tasks = compareItems(before.tasks, after.tasks)
  const reordered = (['requirements', 'acceptance', 'tasks'] as const).filter((list) =>
    isReordered(before[list].map(keyOf), after[list].map(keyOf)),
  )
  const changed = [requirements, acceptance, tasks].flat().filter(({ change }) => change !== 'same')
  const texts = [before.title !== after.title, before.summary !== after.summary]
  return {
    title: { before: before.title, after: after.title },
    summary: { before: before.summary, after: after.summary },
    ...{ requirements, acceptance, tasks, reordered },
    count: changed.length + reordered.length + texts.filter(Boolean).length,
  }
}

export const keyOf = (item: { id: string } | { key: string }) => ('id' in item ? item.id : item.key)

/** Whether those that both have stand in another order; one that is there twice does too. */
function isReordered(before: readonly string[], after: readonly string[]): boolean {
  const kept = before.filter((key) => after.includes(key))
  return kept.join('\n') !== after.filter((key) => before.includes(key)).join('\n')
}

/** In the order of the new version, with what is gone where it was. */
function compareItems<T extends { id: string } | { key: string }>(
  before: readonly T[],
  after: readonly T[],
): ItemChange<T>[] {
  const old = new Map(before.map((item) => [keyOf(item), item]))
  const now = new Set(after.map(keyOf))
  const rows = after.map((item): ItemChange<T> => {
    const key = keyOf(item)
    const was = old.get(key)
    if (was === undefined) return { key, change: 'added', after: item }
    const same = JSON.stringify(sorted(was)) === JSON.stringify(sorted(item))
    return { key, change: same ? 'same' : 'changed', before: was, after: item }
  })
  for (const [index, item] of before.entries()) {
    const key = keyOf(item)
    if (now.has(key)) continue
    const previous = before[index - 1]
    const place = previous ? rows.findIndex((row) => row.key === keyOf(previous)) + 1 : 0
    rows.splice(place, 0, { key, change: 'removed', before: item })
  }
  return rows
}

/** Postgres keeps an object's keys in an order of its own. */
const sorted = (item: unknown) =>
  Object.fromEntries(Object.entries(item as object).sort(([a], [b]) => (a < b ? -1 : 1)))
