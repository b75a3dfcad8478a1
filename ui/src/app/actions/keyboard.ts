import { tinykeys } from 'tinykeys'
import { usePreferences } from '../preferences.ts'
import { type Action, enabledActions, keysOf, useRegistry } from './registry.ts'

/** Listens for the keys of every registered action, for ever. */
export function startKeyboard(): void {
  let stop = listen()
  useRegistry.subscribe(() => {
    stop()
    stop = listen()
  })
}

function listen(): () => void {
  const keys = new Set(useRegistry.getState().actions.flatMap(keysOf))
  const bindings = [...keys].map((key) => [key, (event: KeyboardEvent) => press(key, event)])
  return tinykeys(window, Object.fromEntries(bindings))
}

function press(key: string, event: KeyboardEvent): void {
  if (event.defaultPrevented) return
  if (
    !hasModifier(key) &&
    key !== 'Escape' &&
    (isTyping(event) || !usePreferences.getState().letterKeys)
  )
    return
  const action = enabledActions(useRegistry.getState().actions)
    .filter((one) => keysOf(one).includes(key))
    .filter((one) => one.inDialog || !dialogIsOpen())
    .at(-1)
  if (!action) return
  event.preventDefault()
  act(action)
}

/** The one way in which an action is run, whatever asked for it. */
export function act(action: Action): void {
  action.run()
}

const hasModifier = (key: string) => /\$mod|Control|Meta|Alt/.test(key)

function isTyping({ target }: KeyboardEvent): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
}

const dialogIsOpen = () =>
  document.querySelector(
    '[role="dialog"][data-state="open"], [role="alertdialog"], [role="menu"]',
  ) !== null
