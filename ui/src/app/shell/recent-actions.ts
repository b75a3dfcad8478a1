const KEY = 'dispatch.recent-actions'
const KEPT = 4

/** Ids of the actions last run from the palette, newest first. */
export function recentActions(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    return Array.isArray(stored) ? stored.map(String) : []
  } catch {
    return [] // somebody else wrote there; it is replaced by the next one
  }
}

export function rememberAction(id: string): void {
  const ids = [id, ...recentActions().filter((one) => one !== id)]
  localStorage.setItem(KEY, JSON.stringify(ids.slice(0, KEPT)))
}
