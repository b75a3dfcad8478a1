import { afterEach, expect, test, vi } from 'vitest'
import { clearDraft, joined } from './goal-draft.ts'

afterEach(() => void vi.unstubAllGlobals())

test('a goal that was half written stays when another begins from the palette', () => {
  expect(joined('Half a thought', 'mend login')).toBe('Half a thought\n\nmend login')
  expect(joined('', 'mend login')).toBe('mend login')
  expect(joined('Half a thought', '')).toBe('Half a thought')
  // opened twice with the same words
  expect(joined('Half a thought\n\nmend login', 'mend login')).toBe('Half a thought\n\nmend login')
})

test('what was written while a goal was being filed stays; of what was filed only the words go', () => {
  const kept = {
    text: JSON.stringify({ description: 'The next one', profile: 'Auto', branch: 'x' }),
  }
  vi.stubGlobal('localStorage', {
    getItem: () => kept.text,
    setItem: (_key: string, text: string) => {
      kept.text = text
    },
  })
  expect(clearDraft('The first one')).toBe(false)
  expect(JSON.parse(kept.text)).toMatchObject({ description: 'The next one', branch: 'x' })
  expect(clearDraft('The next one')).toBe(true)
  expect(JSON.parse(kept.text)).toMatchObject({ description: '', branch: '', profile: 'Auto' })
})
