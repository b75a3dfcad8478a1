/**
 * The part of a long list that is given to the screen, in places: a block's index, counted from the first that was ever added, so that
 * it stays the same when older ones are put before. What comes at the end costs no more however long the list is.
 */
export interface BlockWindow {
  from: number
  /** Infinity follows the end. */
  to: number
}

export interface Extent {
  /** How many blocks were put before the first that was added. */
  head: number
  appended: number
}

/** The window grows by this much at a time. */
const STEP = 500
/** As much as is kept; the far side is let go of. */
const MOST = 3_000

/** The end of the list. Moves in steps: not with each block that comes. */
export function windowAtEnd({ head, appended }: Extent): BlockWindow {
  return {
    from: Math.max(0 - head, Math.floor(appended / STEP - 2) * STEP),
    to: Number.POSITIVE_INFINITY,
  }
}

/** What to show when the window's upper edge is near; the same object when there is nothing more. */
export function extendUp(now: BlockWindow, { head, appended }: Extent): BlockWindow {
  const from = Math.max(-head, now.from - STEP)
  if (from === now.from) return now
  const to = Math.min(now.to, appended) - from > MOST ? from + MOST : now.to
  return { from, to }
}

export function extendDown(now: BlockWindow, { appended }: Extent): BlockWindow {
  if (now.to === Number.POSITIVE_INFINITY) return now
  const to = now.to + STEP >= appended ? Number.POSITIVE_INFINITY : now.to + STEP
  return { from: Math.max(now.from, Math.min(to, appended) - MOST), to }
}

/** Around one place. */
export function windowAround(place: number, { head, appended }: Extent): BlockWindow {
  const to = place + STEP >= appended ? Number.POSITIVE_INFINITY : place + STEP
  return { from: Math.max(-head, place - STEP), to }
}
