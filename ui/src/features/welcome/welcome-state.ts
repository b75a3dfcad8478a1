export const STEPS = ['agents', 'project', 'goal'] as const
export type Step = (typeof STEPS)[number]

const KEY = 'dispatch.welcome'

/** How far this browser came with the welcome: a step, over, or not begun. */
export function readWelcome(): Step | 'over' | undefined {
  const stored = localStorage.getItem(KEY)
  return [...STEPS, 'over' as const].find((one) => one === stored)
}

export const writeWelcome = (state: Step | 'over'): void => localStorage.setItem(KEY, state)
