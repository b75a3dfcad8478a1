import { afterAll, beforeAll, expect, test, vi } from 'vitest'

vi.mock('../preferences.ts', () => ({ usePreferences: { getState: () => ({ letterKeys: true }) } }))

/** As much of a window as listening for keys needs. */
class Key extends Event {
  constructor(readonly key: string) {
    super('keydown', { cancelable: true })
  }
  getModifierState = () => false
}
const press = (key: string) => window.dispatchEvent(new Key(key))

beforeAll(() => {
  vi.stubGlobal('window', new EventTarget())
  vi.stubGlobal('KeyboardEvent', Key)
  vi.stubGlobal('HTMLElement', class {})
  vi.stubGlobal('document', { querySelector: () => null })
})
afterAll(() => vi.unstubAllGlobals())

test('a view that comes between two keys takes nothing from them, and its own letter waits for the sequence', async () => {
  const { startKeyboard } = await import('./keyboard.ts')
  const { registerActions } = await import('./registry.ts')
  const done: string[] = []
  const action = (id: string, keys: string) => ({
    ...{ id, keys, title: id, scope: 'Test' },
    run: () => void done.push(id),
  })
  registerActions([action('go to reviews', 'g v')])
  startKeyboard()
  press('g')
  const leave = registerActions([action('mark viewed', 'v')])
  press('v')
  expect(done).toEqual(['go to reviews'])
  press('v')
  expect(done).toEqual(['go to reviews', 'mark viewed'])
  leave()
  press('v')
  press('g')
  press('v')
  expect(done).toEqual(['go to reviews', 'mark viewed', 'go to reviews'])
})
