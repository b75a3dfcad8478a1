/** Why a change that a person asked for is not made. Closed: the API has a status for each. */
export const REFUSAL_CODES = [
  'not_found',
  'project_unknown',
  'project_exists',
  'ambiguous_name',
  'name_taken',
  'in_use',
  'wrong_state',
  'no_review',
  'already_decided',
  'superseded',
  'stale_hash',
  'checklist_incomplete',
  'edits_not_allowed',
  'not_trusted',
  'no_agent',
  'auto_model_off',
  'bad_cursor',
  'bad_stream',
  'bad_setting',
  'no_sandbox',
] as const
export type RefusalCode = (typeof REFUSAL_CODES)[number]

/** An expected "no": a value, never an exception. */
export interface Refusal {
  refused: RefusalCode
  detail: string
  /** What the person can do about it. */
  advice?: string
  /** The state that stands in the way: who decided, the current hash, and the like. */
  current?: Record<string, unknown>
}

export function refuse(
  refused: RefusalCode,
  detail: string,
  more: { advice?: string; current?: Record<string, unknown> } = {},
): Refusal {
  return { refused, detail, ...more }
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'refused' in value
}
