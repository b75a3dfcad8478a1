import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createKept } from './kept-store.ts'

const windows: EventTarget[] = []
const stored = new Map<string, string>()

/** A window of the same browser: the others hear what it writes. */
function openWindow(): void {
  const mine = new EventTarget()
  windows.push(mine)
  const setItem = (key: string, value: string) => {
    stored.set(key, value)
    for (const other of windows)
      if (other !== mine) other.dispatchEvent(Object.assign(new Event('storage'), { key }))
  }
  const localStorage = { getItem: (key: string) => stored.get(key) ?? null, setItem }
  vi.stubGlobal('window', Object.assign(mine, { localStorage }))
}
beforeAll(openWindow)
afterAll(() => vi.unstubAllGlobals())

test('what was written in one window is not undone by a change in another that was open before', () => {
  const open = () => createKept('drafts', () => ({ summary: '', checked: [] as string[] }))
  const morning = open()
  openWindow()
  const later = open()
  later.setState({ summary: 'A long text' })
  morning.setState({ checked: ['REQ-1'] })
  for (const one of [morning, later, open()])
    expect(one.getState()).toEqual({ summary: 'A long text', checked: ['REQ-1'] })
})
