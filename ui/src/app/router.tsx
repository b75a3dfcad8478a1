import { createRootRoute, createRoute, createRouter, redirect } from '@tanstack/react-router'
import { readAgentSearch, readAgentsSearch } from '../features/agents/agents-search.ts'
import { GoalsPage } from '../features/goals/goals-page.tsx'
import { readGoalSearch, readGoalsSearch } from '../features/goals/goals-search.ts'
import { readLedgerSearch } from '../features/ledger/ledger-search.ts'
import { readReviewSearch } from '../features/reviews/review-search.ts'
import { lazyPart } from '../lib/lazy-part.ts'
import { NotFound, RouteError } from './shell/route-states.tsx'
import { Shell } from './shell/shell.tsx'

/** Search params of every page. `panel`: short id of what the Focus Panel shows (`T-31`, `A-9`). */
interface RootSearch {
  panel?: string
}

const rootRoute = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  validateSearch: ({ panel }: Record<string, unknown>): RootSearch =>
    typeof panel === 'string' && /^[A-Z]-\d+$/.test(panel) ? { panel } : {},
})

const goalsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  validateSearch: readGoalsSearch,
  component: GoalsPage,
})

/** Where one goal's address leads when its end is left out. */
const allGoalsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/goals',
  beforeLoad: () => {
    throw redirect({ to: '/' })
  },
})

const goalRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/goals/$id',
  validateSearch: readGoalSearch,
  component: lazyPart(async () => (await import('../features/goals/goal-page.tsx')).GoalPage),
})

const reviewsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/reviews',
  component: lazyPart(
    async () => (await import('../features/reviews/reviews-page.tsx')).ReviewsPage,
  ),
})

const reviewRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/reviews/$id',
  validateSearch: readReviewSearch,
  staticData: { wholeScreen: true },
  component: lazyPart(async () => (await import('../features/reviews/review-page.tsx')).ReviewPage),
})

const agentsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/agents',
  validateSearch: readAgentsSearch,
  component: lazyPart(async () => (await import('../features/agents/agents-page.tsx')).AgentsPage),
})

const agentRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/agents/$id',
  validateSearch: readAgentSearch,
  component: lazyPart(async () => (await import('../features/agents/agent-page.tsx')).AgentPage),
})

const ledgerRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/ledger',
  validateSearch: readLedgerSearch,
  component: lazyPart(async () => (await import('../features/ledger/ledger-page.tsx')).LedgerPage),
})

const settingsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/settings',
  beforeLoad: () => {
    throw redirect({ to: '/settings/$section', params: { section: 'general' } })
  },
})

const settingsSectionRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/settings/$section',
  component: lazyPart(
    async () => (await import('../features/settings/settings-page.tsx')).SettingsPage,
  ),
})

const welcomeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/welcome',
  component: lazyPart(
    async () => (await import('../features/welcome/welcome-page.tsx')).WelcomePage,
  ),
})

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    goalsRoute,
    allGoalsRoute,
    goalRoute,
    reviewsRoute,
    reviewRoute,
    agentsRoute,
    agentRoute,
    ledgerRoute,
    settingsRoute,
    settingsSectionRoute,
    welcomeRoute,
  ]),
  search: { strict: true }, // what a view does not understand is not asked for in its name
  defaultPreload: 'intent',
  defaultErrorComponent: RouteError,
  scrollRestoration: false, // each view scrolls in its own area
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
  interface StaticDataRouteOption {
    /** Without sidebar and status rail: a page that needs all of the screen and brings its own way back. */
    wholeScreen?: boolean
  }
}
