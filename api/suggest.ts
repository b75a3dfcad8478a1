import type { Tx } from '../db/connect.ts'
import type { EmittedEvent } from '../db/events.ts'
import { correctionsToCompare, recordSuggestion } from '../db/suggestions.ts'
import { ALIKE_ENOUGH, likeTo, mostTypical } from '../domain/alike.ts'

/** Of so many the wording is chosen: each is compared with each. */
const NEWEST = 20

/** A correction that says what enough earlier ones of its project said becomes a suggestion, or lets one grow. */
export async function suggestFrom(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  said: { id: string; text: string; goalId: string },
): Promise<void> {
  const { id, text, goalId } = said
  const { projectId, corrections } = await correctionsToCompare(tx, { goalId, exceptId: id })
  const isLike = likeTo(text)
  const same = [...corrections.filter((other) => isLike(other.text)), { id, text }]
  if (same.length < ALIKE_ENOUGH) return
  await recordSuggestion(tx, emit, {
    projectId,
    ids: same.map((one) => one.id),
    text: mostTypical(same.slice(-NEWEST).map((one) => one.text)),
  })
}
