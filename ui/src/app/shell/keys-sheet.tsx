import { Dialog } from '../../components/dialog.tsx'
import { Kbd } from '../../components/kbd.tsx'
import { Switch } from '../../components/switch.tsx'
import { groupBy } from '../../lib/group-by.ts'
import { keysOf, useRegistry } from '../actions/registry.ts'
import { usePreferences } from '../preferences.ts'

/** The keys of this page, from the same table that binds them. */
export function KeysSheet({ onClose }: { onClose: () => void }) {
  const actions = useRegistry((state) => state.actions)
  const { letterKeys, set } = usePreferences()
  const byId = new Map(actions.map((action) => [action.id, action]))
  const groups = groupBy(
    [...byId.values()].filter((action) => keysOf(action).length > 0),
    (action) => action.scope,
  )
  return (
    <Dialog open onClose={onClose} title="Keyboard shortcuts" width="lg">
      <div className="grid gap-x-8 gap-y-5 overflow-y-auto px-4 pt-3 pb-4 md:grid-cols-2">
        {[...groups].reverse().map(([scope, own]) => (
          <section key={scope} aria-label={scope}>
            <h3 className="pb-1 text-12 font-medium text-fg-3">{scope}</h3>
            <dl>
              {own.map((action) => (
                <div key={action.id} className="flex h-7 items-center justify-between gap-4">
                  <dt>{action.title}</dt>
                  <dd>
                    <Kbd keys={keysOf(action)[0] ?? ''} />
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <div className="flex items-center gap-3 border-t px-4 py-3">
        <Switch id="letter-keys" checked={letterKeys} onChange={(on) => set({ letterKeys: on })} />
        <label htmlFor="letter-keys">
          Single-letter keys
          <span className="block text-12 text-fg-3">
            Off leaves those with {navigator.platform.startsWith('Mac') ? '⌘' : 'Ctrl'}. Letters
            never act while you type.
          </span>
        </label>
      </div>
    </Dialog>
  )
}
