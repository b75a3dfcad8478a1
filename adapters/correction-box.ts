import type { Correction } from './adapter.ts'

/** Keeps the corrections that come before there is somebody to take them. */
export function createCorrectionBox() {
  const early: Correction[] = []
  let taker: ((correction: Correction) => void) | undefined
  return {
    put(correction: Correction): void {
      if (taker) taker(correction)
      else early.push(correction)
    },
    /** Hands over what is there, in order, and from now on each as it comes. */
    openTo(take: (correction: Correction) => void): void {
      taker = take
      for (const each of early.splice(0)) take(each)
    },
  }
}
