import type { VerifyItem } from '../contracts/outputs.ts'

const WORST = ['fail', 'warn', 'pass']

/** The verdict on each id. Of several on one, the worst counts: an agent cannot take an objection back by adding to its list. */
export function worstVerdicts(items: readonly VerifyItem[]): Map<string, VerifyItem> {
  const verdicts = new Map<string, VerifyItem>()
  for (const item of items) {
    const known = verdicts.get(item.ref)
    if (!known || WORST.indexOf(item.result) < WORST.indexOf(known.result))
      verdicts.set(item.ref, item)
  }
  return verdicts
}

/** Where a verdict points to, as a checklist keeps it. */
export const placeOf = (item: VerifyItem | undefined) => ({
  ...(item?.file === undefined ? {} : { file: item.file }),
  ...(item?.line === undefined ? {} : { line: item.line }),
})

/** Items whose ids no other spec of the goal has: specs come from different agents, and a verdict names an id alone. */
export function withDistinctIds<T extends { id: string }>(
  items: readonly T[],
  { taken, prefix }: { taken: ReadonlySet<string>; prefix: string },
): T[] {
  return items.map((item) => (taken.has(item.id) ? { ...item, id: `${prefix}:${item.id}` } : item))
}
