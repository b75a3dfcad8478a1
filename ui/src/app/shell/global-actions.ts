import {
  Bot,
  ChartNoAxesColumn,
  CircleDot,
  Eye,
  Keyboard,
  PanelLeft,
  Search,
  Settings,
  SquarePen,
  SunMoon,
} from 'lucide-react'
import { goToNextReview } from '../../features/reviews/next-review.ts'
import type { Action } from '../actions/registry.ts'
import { navigate } from '../navigation.ts'
import { type Theme, usePreferences } from '../preferences.ts'
import { openNewGoal, openOverlay } from '../ui-state.ts'

const NEXT_THEME: Readonly<Record<Theme, Theme>> = {
  system: 'light',
  light: 'dark',
  dark: 'system',
}
const scope = 'Everywhere'
const go = (to: '/' | '/reviews' | '/agents' | '/ledger' | '/settings') => () =>
  void navigate({ to })

/** What can be done on every page. A view adds its own with `useActions`. */
export const globalActions: readonly Action[] = [
  {
    id: 'goal.new',
    title: 'New goal',
    scope,
    keys: 'c',
    icon: SquarePen,
    keywords: 'create file',
    run: () => openNewGoal(),
  },
  {
    id: 'go.goals',
    title: 'Go to goals',
    scope,
    keys: ['g g', 'g d', 'g 1'],
    icon: CircleDot,
    keywords: 'home dashboard',
    run: go('/'),
  },
  {
    id: 'go.reviews',
    title: 'Go to reviews',
    scope,
    keys: ['g v', 'g 2'],
    icon: Eye,
    keywords: 'approve waiting',
    run: go('/reviews'),
  },
  {
    id: 'go.next-review',
    title: 'Go to next review',
    scope,
    keys: 'g r',
    icon: Eye,
    keywords: 'pending waiting approve',
    run: () => void goToNextReview(),
  },
  {
    id: 'go.agents',
    title: 'Go to agents',
    scope,
    keys: ['g a', 'g 3'],
    icon: Bot,
    keywords: 'pool runs',
    run: go('/agents'),
  },
  {
    id: 'go.ledger',
    title: 'Go to ledger',
    scope,
    keys: ['g l', 'g 4'],
    icon: ChartNoAxesColumn,
    keywords: 'cost tokens usage spend budget',
    run: go('/ledger'),
  },
  {
    id: 'go.settings',
    title: 'Open settings',
    scope,
    keys: '$mod+,',
    icon: Settings,
    keywords: 'preferences',
    run: go('/settings'),
  },
  {
    id: 'palette',
    title: 'Open command palette',
    scope,
    keys: '$mod+k',
    icon: Search,
    onlyKeys: true,
    run: () => openOverlay('palette'),
  },
  {
    id: 'keys',
    title: 'Show keyboard shortcuts',
    scope,
    keys: 'Shift+?',
    icon: Keyboard,
    keywords: 'help',
    run: () => openOverlay('keys'),
  },
  {
    id: 'sidebar.toggle',
    title: 'Toggle sidebar',
    scope,
    keys: '[',
    icon: PanelLeft,
    run: () => {
      const { sidebarOpen, set } = usePreferences.getState()
      set({ sidebarOpen: !sidebarOpen })
    },
  },
  {
    id: 'theme.next',
    title: 'Change theme',
    scope,
    icon: SunMoon,
    keywords: 'dark light system',
    run: () => {
      const { theme, set } = usePreferences.getState()
      set({ theme: NEXT_THEME[theme] })
    },
  },
]
