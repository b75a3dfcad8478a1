/** Every screen of the gallery. Goals are those of `seed.ts`, by their short ids in order. */
export interface Screen {
  name: string
  path: string
  /** Text or selector that is there once the screen is complete. */
  ready: string
  /** Keys pressed once it is there, one after the other. */
  keys?: readonly string[]
}

export const SCREENS: readonly Screen[] = [
  { name: 'goals', path: '/', ready: 'text=Needs you' },
  { name: 'goals-filtered', path: '/?show=done&project=P-1', ready: 'text=Done' },
  { name: 'goal-done', path: '/goals/G-1', ready: '[role=log] li' },
  { name: 'goal-spec-review', path: '/goals/G-2', ready: '[role=log] li' },
  { name: 'goal-running', path: '/goals/G-3?panel=T-4', ready: '[role=log] li' },
  { name: 'goal-parallel', path: '/goals/G-4', ready: '[role=log] li' },
  { name: 'goal-attention', path: '/goals/G-5', ready: '[role=log] li' },
  { name: 'palette', path: '/', ready: 'text=Needs you', keys: ['Control+k'] },
  { name: 'keys', path: '/', ready: 'text=Needs you', keys: ['Shift+?'] },
  { name: 'new-goal', path: '/', ready: 'text=Needs you', keys: ['c'] },
  { name: 'reviews', path: '/reviews', ready: 'main li' },
  { name: 'agents', path: '/agents', ready: 'main li' },
  { name: 'run-panel', path: '/goals/G-3?panel=A-9', ready: 'aside' },
  { name: 'settings', path: '/settings', ready: 'main label' },
  { name: 'welcome', path: '/welcome', ready: 'main li' },
  { name: 'not-found', path: '/nowhere', ready: 'text=There is nothing' },
]
