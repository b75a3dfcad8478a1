import { type Theme, usePreferences } from '../../app/preferences.ts'
import { PageHeader } from '../../components/page-header.tsx'
import { Select } from '../../components/select.tsx'
import { Switch } from '../../components/switch.tsx'

/** What can be set. */
export function SettingsPage() {
  const { theme, letterKeys, set } = usePreferences()
  return (
    <>
      <PageHeader crumbs={[{ label: 'Settings' }]} />
      <div className="flex max-w-[560px] flex-col gap-4 p-4">
        <div className="flex items-center justify-between gap-4">
          <span>Theme</span>
          <Select
            label="Theme"
            value={theme}
            onChange={(value) => set({ theme: value as Theme })}
            options={[
              { value: 'system', label: 'As the system' },
              { value: 'light', label: 'Light' },
              { value: 'dark', label: 'Dark' },
            ]}
          />
        </div>
        <div className="flex items-center justify-between gap-4">
          <label htmlFor="keys">Single-letter keys</label>
          <Switch id="keys" checked={letterKeys} onChange={(on) => set({ letterKeys: on })} />
        </div>
      </div>
    </>
  )
}
