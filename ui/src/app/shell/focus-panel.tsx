import { X } from 'lucide-react'
import { type ComponentType, Suspense } from 'react'
import { IconButton } from '../../components/button.tsx'
import { ErrorBoundary } from '../../components/error-boundary.tsx'
import { SkeletonRows } from '../../components/states.tsx'
import { lazyPart } from '../../lib/lazy-part.ts'
import { MEDIUM, useMedia } from '../../lib/use-media.ts'
import { useAction } from '../actions/registry.ts'
import { usePreferences } from '../preferences.ts'
import { useFocusPanel } from './focus-panel-state.ts'
import { ResizeHandle } from './resize-handle.tsx'

/** What the panel can show, by the letter of the short id. A content draws its own header line and scrolls itself. */
const CONTENTS: Readonly<Record<string, ComponentType<{ id: string }>>> = {
  T: lazyPart(async () => (await import('../../features/goals/task-panel.tsx')).TaskPanel),
  A: lazyPart(async () => (await import('../../features/agents/run-panel.tsx')).RunPanel),
}

const OverMain = lazyPart(async () => (await import('./over-main.tsx')).OverMain)

const WIDTH = { min: 360, max: 720 }

/** Beside the main area, or a sheet over it where there is no room. */
export function FocusPanel() {
  const { panel, close } = useFocusPanel()
  const medium = useMedia(MEDIUM)
  const { panelWidth, set } = usePreferences()
  const Content = CONTENTS[panel?.charAt(0) ?? '']
  const shown = panel !== undefined && Content !== undefined
  useAction({
    id: 'panel.close',
    title: 'Close panel',
    scope: 'Everywhere',
    keys: ['Escape', ']'],
    onlyKeys: true,
    enabledWhen: () => shown,
    run: close,
  })
  if (!shown) return null
  const content = (
    <ErrorBoundary key={panel}>
      <Suspense fallback={<SkeletonRows rows={5} label="Loading" />}>
        <Content id={panel} />
      </Suspense>
    </ErrorBoundary>
  )
  const closer = (
    <IconButton
      icon={X}
      label="Close panel"
      keys="Escape"
      className="absolute top-2 right-2 z-10"
      onClick={close}
    />
  )
  if (medium)
    return (
      <OverMain open onClose={close} title={panel} shape="sheet">
        {closer}
        {content}
      </OverMain>
    )
  return (
    <aside
      aria-label={`Details of ${panel}`}
      className="relative flex shrink-0 flex-col border-l bg-bg"
      style={{ width: panelWidth }}
    >
      <ResizeHandle
        label="Width of the panel"
        value={panelWidth}
        {...WIDTH}
        onChange={(width) => set({ panelWidth: width })}
      />
      {closer}
      {content}
    </aside>
  )
}
