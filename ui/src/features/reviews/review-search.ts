const TABS = ['summary', 'checklist', 'diff', 'conversation'] as const
export type ReviewTab = (typeof TABS)[number]

/** What of a review is open, in its address. */
export interface ReviewSearch {
  tab?: ReviewTab
  /** Path of the file that is looked at. */
  file?: string
}

export function readReviewSearch({ tab, file }: Record<string, unknown>): ReviewSearch {
  const known = TABS.find((one) => one === tab)
  return {
    ...(known && { tab: known }),
    ...(typeof file === 'string' && file !== '' && { file }),
  }
}
