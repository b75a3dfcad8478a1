import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { DEFAULT_SETTINGS } from '../../../../contracts/default-settings.ts'
import type { Settings } from '../../../../contracts/schemas.ts'
import { call } from '../../app/api.ts'
import { settingsQuery } from '../../app/queries.ts'
import { explain } from '../../app/toasts.ts'
import type { SaveState } from './setting-row.tsx'

export interface OneSetting<K extends keyof Settings> {
  /** Undefined until it is read. */
  value: Settings[K] | undefined
  isChanged: boolean
  initial: Settings[K]
  save: SaveState
  error: string | undefined
  set: (value: Settings[K]) => void
}

/** One of the server's settings, stored as soon as it is set. */
export function useSetting<K extends keyof Settings>(key: K): OneSetting<K> {
  const client = useQueryClient()
  const { data } = useQuery(settingsQuery())
  const change = useMutation({
    scope: { id: 'settings' }, // one after another, each made from the answer to the one before
    mutationFn: (value: Settings[K]) => {
      const seen = client.getQueryData(settingsQuery().queryKey)
      return call('updateSettings', { body: { [key]: value } }, { seen })
    },
    onSuccess: (settings) => client.setQueryData(settingsQuery().queryKey, settings),
    onError: () => client.invalidateQueries(settingsQuery()), // it may be another window's by now
  })
  const initial = DEFAULT_SETTINGS[key]
  return {
    value: data?.[key],
    initial,
    isChanged: data !== undefined && data[key] !== initial,
    save: change.isPending ? 'saving' : change.isSuccess ? 'saved' : 'idle',
    error: change.error ? explain(change.error) : undefined,
    set: (value) => change.mutate(value),
  }
}
