import { createKept } from '../lib/kept-store.ts'

export type Theme = 'system' | 'light' | 'dark'

interface Preferences {
  theme: Theme
  /** Actions on single characters; those with a modifier, Enter, Escape and the arrows always work. */
  letterKeys: boolean
  sidebarOpen: boolean
  /** px */
  panelWidth: number
  /** Old and new side by side, or one below the other. */
  diffStyle: 'split' | 'unified'
  set(change: Partial<Omit<Preferences, 'set'>>): void
}

/** What this browser remembers of how a person likes the page. The key is also read by the script in `index.html`. */
export const usePreferences = createKept<Preferences>('dispatch.preferences', (set) => ({
  theme: 'system',
  letterKeys: true,
  sidebarOpen: true,
  panelWidth: 440,
  diffStyle: 'split',
  set: (change) => set(change),
}))

const dark = window.matchMedia('(prefers-color-scheme: dark)')

/** Keeps `data-theme` on the page as the person wants it. */
export function applyTheme(): void {
  const show = () => {
    const { theme } = usePreferences.getState()
    const shown = theme === 'system' ? (dark.matches ? 'dark' : 'light') : theme
    document.documentElement.dataset['theme'] = shown
  }
  show()
  dark.addEventListener('change', show)
  usePreferences.subscribe(show)
}
