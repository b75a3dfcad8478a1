import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'

const preferences = { letterKeys: true }
vi.mock('../preferences.ts', () => ({ usePreferences: { getState: () => preferences } }))

/** As much of a page as listening for keys needs. */
class Part {
  tagName = 'BODY'
  isContentEditable = false
  isConnected = true
  blur = vi.fn()
}
class Key extends Event {
  key = ''
  isComposing = false
  getModifierState = () => false
}
function press(key: string, target = new Part(), isComposing = false): void {
  const event = Object.assign(new Key('keydown', { cancelable: true }), { key, isComposing })
  window.dispatchEvent(Object.defineProperty(event, 'target', { value: target }))
}

/** What is open over the page. */
let role = ''
let registerActions: typeof import('./registry.ts').registerActions
beforeAll(async () => {
  vi.stubGlobal('window', new EventTarget())
  vi.stubGlobal('KeyboardEvent', Key)
  vi.stubGlobal('HTMLElement', Part)
  const querySelector = (selectors: string) =>
    role && selectors.includes(role) ? new Part() : null
  vi.stubGlobal('document', { querySelector })
  ;({ registerActions } = await import('./registry.ts'))
  const { startKeyboard } = await import('./keyboard.ts')
  startKeyboard()
})
afterAll(() => vi.unstubAllGlobals())

const done: string[] = []
beforeEach(() => {
  done.length = 0
})
/** Actions that tell `done`, by their keys. */
const registered = (byKey: Record<string, string>) =>
  registerActions(
    Object.entries(byKey).map(([keys, id]) => ({
      ...{ id, keys, title: id, scope: 'Test' },
      run: () => void done.push(id),
    })),
  )

test('a view that comes between two keys takes nothing from them, and its own letter waits for the sequence', () => {
  registered({ 'g v': 'go to reviews' })
  press('g')
  const leave = registered({ v: 'mark viewed' })
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

test('while something is written no key acts: Escape leaves the field, and one that is composed with means nothing', () => {
  const leave = registered({ Escape: 'close panel', j: 'next' })
  const field = Object.assign(new Part(), { tagName: 'TEXTAREA' })
  press('j', field)
  press('Escape', field, true)
  expect(field.blur).not.toHaveBeenCalled()
  press('Escape', field)
  expect(field.blur).toHaveBeenCalledOnce()
  expect(done).toEqual([])
  press('Escape')
  expect(done).toEqual(['close panel'])
  leave()
})

test('what was meant for a field that an event took away acts on nothing; after a pause, or what ends a text, keys act again', () => {
  vi.useFakeTimers()
  const leave = registered({ p: 'pause goal' })
  const field = Object.assign(new Part(), { tagName: 'TEXTAREA' })
  press('s', field)
  field.isConnected = false
  for (const key of ['t', 'o', 'p']) {
    vi.advanceTimersByTime(600)
    press(key)
  }
  expect(done).toEqual([])
  vi.advanceTimersByTime(1_500)
  press('p')
  const sent = Object.assign(new Part(), { tagName: 'TEXTAREA' })
  press('s', sent)
  press('Enter', sent)
  sent.isConnected = false
  press('p')
  expect(done).toEqual(['pause goal', 'pause goal'])
  vi.useRealTimers()
  leave()
})

test('without single-letter keys no character acts alone; Enter, Escape and the arrows do', () => {
  const leave = registered({ j: 'j', 'g x': 'g x', '/': '/', Enter: 'Enter', ArrowDown: 'down' })
  preferences.letterKeys = false
  for (const key of ['j', 'g', 'x', '/', 'Enter', 'ArrowDown']) press(key)
  expect(done).toEqual(['Enter', 'down'])
  preferences.letterKeys = true
  for (const key of ['j', 'g', 'x', '/']) press(key)
  expect(done).toEqual(['Enter', 'down', 'j', 'g x', '/'])
  leave()
})

test('letters that look for an option in an open list act on nothing; those after a box was checked do', () => {
  const leave = registered({ p: 'pause goal' })
  role = '[role="listbox"]'
  press('p')
  expect(done).toEqual([])
  role = ''
  press('p', Object.assign(new Part(), { tagName: 'INPUT', type: 'checkbox' }))
  expect(done).toEqual(['pause goal'])
  press('p', Object.assign(new Part(), { tagName: 'INPUT', type: 'search' }))
  expect(done).toEqual(['pause goal'])
  leave()
})
