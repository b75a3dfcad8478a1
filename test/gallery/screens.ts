/** Every screen of the gallery. Goals are those of `seed.ts`, by their short ids in order. */
export interface Screen {
  name: string
  path: string
  /** Text or selector that is there once the screen is complete. */
  ready: string
  /** Keys pressed once it is there, one after the other. */
  keys?: readonly string[]
}

const GOALS = '[data-row]'
const FEED = '[role=log] li'

export const SCREENS: readonly Screen[] = [
  { name: 'goals', path: '/', ready: GOALS },
  { name: 'goals-filtered', path: '/?show=done&project=P-1', ready: 'text=Done' },
  { name: 'goals-none', path: '/?q=nothing+has+this+name', ready: 'text=No goal matches' },
  { name: 'goal-done', path: '/goals/G-1', ready: FEED },
  { name: 'goal-spec-review', path: '/goals/G-2', ready: FEED },
  {
    name: 'goal-running',
    path: '/goals/G-3?panel=T-4',
    ready: '[aria-label="Details of T-4"] dt, [role=dialog] dt',
  },
  { name: 'goal-parallel', path: '/goals/G-4', ready: FEED },
  { name: 'goal-attention', path: '/goals/G-5', ready: FEED },
  { name: 'goal-long-title', path: '/goals/G-6', ready: FEED },
  { name: 'goal-limited', path: '/goals/G-10', ready: 'text=Try now' },
  { name: 'goal-right-to-left', path: '/goals/G-8', ready: FEED },
  { name: 'palette', path: '/', ready: GOALS, keys: ['Control+k'] },
  { name: 'keys', path: '/', ready: GOALS, keys: ['Shift+?'] },
  { name: 'new-goal', path: '/', ready: GOALS, keys: ['c'] },
  { name: 'reviews', path: '/reviews', ready: '[data-row]' },
  { name: 'review-spec', path: '/reviews/{spec}', ready: 'textarea' },
  { name: 'review-task', path: '/reviews/{task}', ready: 'diffs-container' },
  { name: 'review-summary', path: '/reviews/{task}?tab=summary', ready: 'h2' },
  {
    name: 'review-checklist',
    path: '/reviews/{task}?tab=checklist',
    ready: 'input[type=checkbox]',
  },
  {
    name: 'review-conversation',
    path: '/reviews/{task}?tab=conversation',
    ready: '[role=tabpanel] ol li',
  },
  { name: 'review-budget', path: '/reviews/{budget}', ready: '[aria-label=Verdict]' },
  { name: 'review-disagreement', path: '/reviews/{disputed}?tab=checklist', ready: 'main dl' },
  { name: 'review-decided', path: '/reviews/R-1', ready: '[aria-label=Verdict]' },
  { name: 'agents', path: '/agents', ready: 'main li' },
  { name: 'run', path: '/agents/{run}', ready: '[role=log]' },
  {
    name: 'run-panel',
    path: '/goals/G-3?panel={run}',
    ready: '[aria-label^=Details] [role=log], [role=dialog] [role=log]',
  },
  { name: 'ledger', path: '/ledger', ready: '.recharts-bar-rectangle' },
  {
    name: 'ledger-agents',
    path: '/ledger?by=stage&show=tokens&days=7',
    ready: '.recharts-bar-rectangle',
  },
  ...['general', 'pool', 'goals', 'agents', 'profiles', 'projects'].map((section) => ({
    ...{ name: `settings-${section}`, path: `/settings/${section}`, ready: 'main h1, main h2' },
  })),
  { name: 'welcome', path: '/welcome', ready: 'main li' },
  { name: 'not-found', path: '/nowhere', ready: 'text=There is nothing' },
]

/** What a new installation shows: nothing is in it. Shot before the seed. */
export const EMPTY_SCREENS: readonly Screen[] = [
  { name: 'empty-welcome', path: '/', ready: 'main li' },
  { name: 'empty-reviews', path: '/reviews', ready: 'main h2' },
  { name: 'empty-agents', path: '/agents', ready: 'main h2' },
  { name: 'empty-ledger', path: '/ledger', ready: 'main h2' },
  { name: 'empty-new-goal', path: '/reviews', ready: 'main h2', keys: ['c'] },
]
