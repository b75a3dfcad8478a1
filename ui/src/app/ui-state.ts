import { create } from 'zustand'

type Overlay = 'palette' | 'keys' | 'new-goal' | 'drawer'

/** What lies over the page; one at a time. */
export const useUi = create<{ overlay: Overlay | undefined; newGoalText: string }>()(() => ({
  overlay: undefined,
  newGoalText: '',
}))

export const openOverlay = (overlay: Overlay): void => useUi.setState({ overlay })
export const closeOverlay = (): void => useUi.setState({ overlay: undefined })

/** Opens the dialog for a new goal; `text` is what is written in it already. */
export const openNewGoal = (text = ''): void =>
  useUi.setState({ overlay: 'new-goal', newGoalText: text })
