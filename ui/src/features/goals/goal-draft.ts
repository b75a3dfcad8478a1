export interface GoalDraft {
  description: string
  project: string | undefined
  profile: string | undefined
  branch: string
  /** Tokens of the whole goal, as written. */
  budget: string
}

const KEY = 'dispatch.goal-draft'
const EMPTY: GoalDraft = {
  description: '',
  project: undefined,
  profile: undefined,
  branch: '',
  budget: '',
}

/** The goal that was begun and not filed, in this browser. */
export function readDraft(): GoalDraft {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<GoalDraft>
    return { ...EMPTY, ...stored }
  } catch {
    return EMPTY // somebody else wrote there
  }
}

/** What was begun, and after it what the dialog is opened with, unless it holds that already. */
export const joined = (kept: string, given: string): string =>
  kept.includes(given) ? kept : [kept, given].filter(Boolean).join('\n\n')

export const writeDraft = (draft: GoalDraft): void =>
  localStorage.setItem(KEY, JSON.stringify(draft))

/** The project and the profile stay: the next goal is likely for the same. */
export const clearDraft = (): void =>
  writeDraft({ ...readDraft(), description: '', branch: '', budget: '' })
