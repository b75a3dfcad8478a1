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
  /** How many things differ. */
  count: number
}

/** What differs between two versions of a spec; items are the same item when their id or key is. */
export function compareSpecs(before: SpecOutput, after: SpecOutput): SpecChange {
  const requirements = compareItems(before.requirements, after.requirements, (item) => item.id)
  const acceptance = compareItems(before.acceptance, after.acceptance, (item) => item.id)
  const tasks = compareItems(before.tasks, after.tasks, (task) => task.key)
  const changed = [requirements, acceptance, tasks].flat().filter(({ change }) => change !== 'same')
  const texts = [before.title !== after.title, before.summary !== after.summary]
  return {
    title: { before: before.title, after: after.title },
    summary: { before: before.summary, after: after.summary },
    ...{ requirements, acceptance, tasks },
    count: changed.length + texts.filter(Boolean).length,
  }
}

/** In the order of the new version, with what is gone where it was. */
function compareItems<T>(
  before: readonly T[],
  after: readonly T[],
  keyOf: (item: T) => string,
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
