import { Outlet, useMatches } from '@tanstack/react-router'
import { Suspense, useEffect } from 'react'
import { ErrorBoundary } from '../../components/error-boundary.tsx'
import { SkeletonRows } from '../../components/states.tsx'
import { cn } from '../../lib/cn.ts'
import { lazyPart } from '../../lib/lazy-part.ts'
import { registerActions } from '../actions/registry.ts'
import { closeOverlay, useUi } from '../ui-state.ts'
import { ConnectionBanner } from './connection-banner.tsx'
import { FocusPanel } from './focus-panel.tsx'
import { globalActions } from './global-actions.ts'
import { Sidebar } from './sidebar.tsx'
import { StatusRail } from './status-rail.tsx'

const CommandPalette = lazyPart(async () => (await import('./command-palette.tsx')).CommandPalette)
const KeysSheet = lazyPart(async () => (await import('./keys-sheet.tsx')).KeysSheet)
const NewGoalDialog = lazyPart(
  async () => (await import('../../features/goals/new-goal-dialog.tsx')).NewGoalDialog,
)

/** Everything around a view: sidebar, main, Focus Panel, status rail, and what lies over them. */
export function Shell() {
  const wholeScreen = useMatches({
    select: (matches) => matches.some(({ staticData }) => staticData.wholeScreen),
  })
  useEffect(() => registerActions(globalActions), [])
  useEffect(() => {
    // fetched when nothing else is to do, so that they open at once
    const load = () => void Promise.all([CommandPalette.preload(), NewGoalDialog.preload()])
    if ('requestIdleCallback' in window) window.requestIdleCallback(load, { timeout: 3_000 })
    else setTimeout(load, 1_000)
  }, [])
  return (
    <div className="flex h-full flex-col">
      <a
        href="#main"
        className="sr-only rounded-md bg-raised px-3 py-2 focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50"
      >
        Skip to content
      </a>
      <ConnectionBanner />
      <div className="flex min-h-0 flex-1">
        {!wholeScreen && <Sidebar />}
        <div
          className={cn(
            'flex min-w-0 flex-1 overflow-hidden border-line bg-bg',
            !wholeScreen && 'md:mt-1.5 md:mr-1.5 md:rounded-lg md:border',
          )}
        >
          <main id="main" tabIndex={-1} className="flex min-w-0 flex-1 flex-col outline-none">
            <Suspense fallback={<SkeletonRows label="Loading" />}>
              <Outlet />
            </Suspense>
          </main>
          <FocusPanel />
        </div>
      </div>
      {!wholeScreen && <StatusRail />}
      <Overlays />
    </div>
  )
}

function Overlays() {
  const overlay = useUi((state) => state.overlay)
  return (
    <ErrorBoundary key={overlay}>
      <Suspense>
        {overlay === 'palette' && <CommandPalette onClose={closeOverlay} />}
        {overlay === 'keys' && <KeysSheet onClose={closeOverlay} />}
        {overlay === 'new-goal' && <NewGoalDialog onClose={closeOverlay} />}
      </Suspense>
    </ErrorBoundary>
  )
}
