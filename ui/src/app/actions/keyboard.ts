import { tinykeys } from 'tinykeys'
import { usePreferences } from '../preferences.ts'
import { type Action, enabledActions, keysOf, useRegistry } from './registry.ts'

/** The time between two keys of one sequence, in ms. */
const SEQUENCE_MS = 1_500
/** Who types makes no longer pause, in ms. */
const TYPING_MS = 1_000

/** Into which field a person typed last. */
let typed: { field: HTMLElement; at: number } | undefined

/**
 * Listens for the keys of every registered action, for ever. A key's listener stays when its action goes: a view that comes or
 * goes between `g` and `v` must not take the `g` away.
 */
export function startKeyboard(): void {
  window.addEventListener('keydown', noteTyping, true)
  const heard = new Set<string>()
  const listen = () => {
    for (const key of useRegistry.getState().actions.flatMap(keysOf)) {
      if (heard.has(key)) continue
      heard.add(key)
      // a sequence hears its last key before a single key of the same letter: `g v` is not also `v`
      const options = { timeout: SEQUENCE_MS, capture: key.includes(' ') }
      tinykeys(window, { [key]: (event) => press(key, event) }, options)
    }
  }
  useRegistry.subscribe(listen)
  listen()
}

function press(key: string, event: KeyboardEvent): void {
  // what is composed (Chinese, an accent) is not written yet, so its keys are nobody's
  if (event.defaultPrevented || event.isComposing) return
  if (!hasModifier(key) && isTyping(event.target)) {
    // leaves the field, and what is written in it alone
    if (key === 'Escape') event.target.blur()
    return
  }
  if (isCharacter(key) && (!usePreferences.getState().letterKeys || goesOnTyping())) return
  const action = enabledActions(useRegistry.getState().actions)
    .filter((one) => keysOf(one).includes(key))
    .filter((one) => one.inDialog || !dialogIsOpen())
    .at(-1)
  if (!action) return
  event.preventDefault()
  act(action)
}

function noteTyping({ key, target, ctrlKey, metaKey }: KeyboardEvent): void {
  const field = isTyping(target) ? target : goesOnTyping() ? typed?.field : undefined
  const ends = ctrlKey || metaKey || /^(Enter|Escape|Tab)$/.test(key)
  typed = field && !ends ? { field, at: Date.now() } : undefined
}

/** The field went away under the hands, with the run or the review that it was for: what follows is no key of the page. */
const goesOnTyping = () =>
  typed !== undefined && !typed.field.isConnected && Date.now() - typed.at < TYPING_MS

/** The one way in which an action is run, whatever asked for it. */
export function act(action: Action): void {
  action.run()
}

const hasModifier = (key: string) => /\$mod|Control|Meta|Alt/.test(key)

/** Words said to a computer press such keys, so a person can have them off; Enter, Escape and the arrows stay. */
const isCharacter = (key: string) =>
  !hasModifier(key) && key.split(' ').every((part) => part.replace('Shift+', '').length === 1)

/** A box that is checked takes no letters: who has just marked a file as viewed goes on by key. */
function isTyping(target: EventTarget | null): target is HTMLElement {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable) return true
  return (
    /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) &&
    (target as HTMLInputElement).type !== 'checkbox'
  )
}

/** An open list too is over the page: letters find an option in it. */
const dialogIsOpen = () =>
  document.querySelector(
    '[role="dialog"][data-state="open"], [role="alertdialog"], [role="menu"], [role="listbox"]',
  ) !== null
