import { createPatience } from '../contracts/patience.ts'

/**
 * Bites when nothing was heard for too long while the model is to speak, or for many times as long while a tool is at work: a build may say
 * nothing for hours, but some agents never tell that a tool ended. The runner's own watch cannot see this for sure: an agent that waits for
 * ever for its provider may use some CPU all the time.
 */
export interface SilenceWatch {
  heard(): void
  /** What was waited for when it bit, in words. */
  bit(): string | undefined
  stop(): void
}

const TIMES_FOR_TOOLS = 16

export function createSilenceWatch(
  seconds: number,
  isWaiting: () => boolean,
  bite: () => void,
): SilenceWatch {
  const everyMs = Math.min(5000, (seconds * 1000) / 4)
  const waits = (what: string, longest: number) => ({
    patience: createPatience(longest, everyMs),
    words: `waited for ${what} for ${longest} s and heard nothing`,
  })
  const model = waits('its model', seconds)
  const tool = waits('a tool', seconds * TIMES_FOR_TOOLS)
  let bitten: string | undefined
  const look = () => {
    const [now, later] = isWaiting() ? [model, tool] : [tool, model]
    later.patience.again()
    if (!now.patience.turn()) return
    bitten = now.words
    bite()
  }
  const timer = setInterval(look, everyMs)
  return {
    heard() {
      model.patience.again()
      tool.patience.again()
    },
    bit: () => bitten,
    stop: () => clearInterval(timer),
  }
}
