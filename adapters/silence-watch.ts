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
  let last = performance.now()
  let bitten = false
  const look = () => {
    if (!isWaiting()) last = performance.now()
    if (performance.now() - last < seconds * 1000) return
    bitten = true
    bite()
  }
  const timer = setInterval(look, Math.min(5000, (seconds * 1000) / 4))
  return {
    heard() {
      last = performance.now()
    },
    bit: () => bitten,
    stop: () => clearInterval(timer),
  }
}
