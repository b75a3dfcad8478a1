import type { VerifyItem } from '../contracts/outputs.ts'
import type { ChecklistItem, SecondOpinion } from '../contracts/schemas.ts'
import { placeOf, worstVerdicts } from './spec-items.ts'

/** The checklist's own line where a second opinion was wanted and there is none. */
export const MISSING_OPINION = 'second-opinion'

/**
 * A task's checklist with a second agent's opinion beside verify's. On each item of the security spec both stand side by side; where
 * they differ nobody has shown that it holds. What only the second one objects to is an item more. An opinion that is missing is an
 * item that nobody checked.
 */
export function withSecondOpinion(
  checklist: readonly ChecklistItem[],
  securityIds: readonly string[],
  opinion: SecondOpinion | undefined,
): ChecklistItem[] {
  if (!opinion || opinion.status === 'not_needed') return [...checklist]
  if (opinion.status === 'missing') return [...checklist, missingItem(opinion)]
  const answers = worstVerdicts(opinion.items)
  const beside = checklist.map((item) =>
    securityIds.includes(item.id) ? compared(item, answers.get(item.id), opinion.adapter) : item,
  )
  const more = [...answers.values()]
    .filter(({ ref, result }) => !securityIds.includes(ref) && result !== 'pass')
    .map((item) => objection(item, opinion.adapter))
  return [...beside, ...more]
}

function compared(
  item: ChecklistItem,
  answer: VerifyItem | undefined,
  adapter: string,
): ChecklistItem {
  const result = answer?.result ?? 'unchecked'
  return {
    ...item,
    second: {
      adapter,
      result,
      evidence: answer?.evidence ?? null,
      ...placeOf(answer),
      disagrees: result !== item.result,
    },
  }
}

const objection = (item: VerifyItem, adapter: string): ChecklistItem => ({
  id: `${MISSING_OPINION}:${item.ref}`,
  text: `${item.ref}, an objection of ${adapter} alone`,
  result: item.result,
  evidence: item.evidence,
  ...placeOf(item),
})

const missingItem = ({ adapter, reason }: SecondOpinion): ChecklistItem => ({
  id: MISSING_OPINION,
  text: `Second opinion on security by ${adapter}`,
  result: 'unchecked',
  evidence: reason,
})

/** Why a second opinion keeps a review from going on by itself. */
export function opinionDoubts(
  checklist: readonly ChecklistItem[],
  opinion: SecondOpinion | undefined,
): string[] {
  if (opinion?.status === 'missing')
    return [`the second opinion of ${opinion.adapter} on security is missing: ${opinion.reason}`]
  const disputed = checklist.filter(({ second }) => second?.disagrees).map(({ id }) => id)
  if (disputed.length === 0) return []
  return [`${opinion?.adapter} disagrees with verify on ${disputed.join(', ')}`]
}
