import { createPatience } from '../contracts/patience.ts'

/**
 * Bites when nothing was heard for too long while the model is to speak. The runner's own watch cannot see this for sure: an agent that waits
 * for ever for its provider may use some CPU all the time.
 */
export interface SilenceWatch {
  heard(): void
  bit(): boolean
  stop(): void
}

export function createSilenceWatch(
  seconds: number,
  isWaiting: () => boolean,
  bite: () => void,
): SilenceWatch {
  const everyMs = Math.min(5000, (seconds * 1000) / 4)
  const patience = createPatience(seconds, everyMs)
  let bitten = false
  const look = () => {
    if (!isWaiting()) return patience.again()
    if (!patience.turn()) return
    bitten = true
    bite()
  }
  const timer = setInterval(look, everyMs)
  return {
    heard: patience.again,
    bit: () => bitten,
    stop: () => clearInterval(timer),
  }
}
