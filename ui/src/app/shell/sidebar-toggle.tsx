import { Menu, PanelLeft } from 'lucide-react'
import { IconButton } from '../../components/button.tsx'
import { NARROW, useMedia } from '../../lib/use-media.ts'
import { usePreferences } from '../preferences.ts'
import { openOverlay } from '../ui-state.ts'

/** In the header of each view: opens the drawer on a phone, brings the sidebar back elsewhere. */
export function SidebarToggle() {
  const narrow = useMedia(NARROW)
  const { sidebarOpen, set } = usePreferences()
  if (narrow)
    return <IconButton icon={Menu} label="Open navigation" onClick={() => openOverlay('drawer')} />
  if (sidebarOpen) return null
  return (
    <IconButton
      icon={PanelLeft}
      label="Show sidebar"
      keys="["
      className="-ml-1.5"
      onClick={() => set({ sidebarOpen: true })}
    />
  )
}
