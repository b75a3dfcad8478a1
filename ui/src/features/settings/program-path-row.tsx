import { PATH_SETTINGS } from '../../../../contracts/default-settings.ts'
import { SettingRow } from './setting-row.tsx'
import { useSetting } from './use-setting.ts'
import { ValueInput } from './value-input.tsx'

const KEYS: Readonly<Record<string, (typeof PATH_SETTINGS)[keyof typeof PATH_SETTINGS]>> = {
  'claude-path': PATH_SETTINGS.claude,
  'codex-path': PATH_SETTINGS.codex,
  'gemini-path': PATH_SETTINGS.gemini,
}

/** The program of an agent, where the person chose one themselves. */
export function ProgramPathRow({ item }: { item: { id: string; title: string; detail: string } }) {
  const key = KEYS[item.id]
  if (!key) throw new Error(`no program is called ${item.id}`)
  const { value, save, error, isChanged, set } = useSetting(key)
  return (
    <SettingRow
      {...item}
      save={save}
      error={error}
      reset={isChanged ? { from: 'looking for it', run: () => set('') } : undefined}
    >
      <ValueInput
        id={item.id}
        value={value}
        invalid={error !== undefined}
        placeholder="Found automatically"
        onSave={set}
        className="w-72 font-mono text-12 max-md:w-full"
      />
    </SettingRow>
  )
}
