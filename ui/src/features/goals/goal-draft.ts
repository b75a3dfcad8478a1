import { useEffect, useState } from 'react'

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
function readDraft(): GoalDraft {
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

const writeDraft = (draft: GoalDraft): void => localStorage.setItem(KEY, JSON.stringify(draft))

/**
 * The draft as it is written. All windows of this browser have the same one: each writes the whole of it, so what another wrote
 * is taken over at once. `given` is what the field is opened with.
 */
export function useGoalDraft(
  given: Partial<GoalDraft> = {},
): [GoalDraft, (change: Partial<GoalDraft>) => void] {
  const [draft, setDraft] = useState(() => {
    const kept = readDraft()
    return { ...kept, ...given, description: joined(kept.description, given.description ?? '') }
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: what it was opened with; what is changed is written at once
  useEffect(() => {
    writeDraft(draft)
    const take = ({ key }: StorageEvent) => {
      if (key === KEY) setDraft(readDraft())
    }
    window.addEventListener('storage', take)
    return () => window.removeEventListener('storage', take)
  }, [])
  const change = (part: Partial<GoalDraft>) => {
    const next = { ...draft, ...part }
    writeDraft(next)
    setDraft(next)
  }
  return [draft, change]
}

/**
 * After a goal was filed: its words go, its project and profile stay, for the next is likely for the same. False when something
 * else was written meanwhile, which stays.
 */
export function clearDraft(filed: string): boolean {
  const kept = readDraft()
  if (kept.description !== filed) return false
  writeDraft({ ...kept, description: '', branch: '', budget: '' })
  return true
}
