/** A queue for one reader that holds its writers back instead of growing. */
export interface EventQueue<T> {
  /** Resolves at once while there is room; awaiting it is the producer's backpressure. Dropped after `end`. */
  push(item: T): Promise<void>
  /** No more items; those already pushed are still read. */
  end(): void
  items: AsyncIterable<T>
}

export interface QueueLimits<T> {
  /** `push` holds its caller back from this weight on. */
  highWater: number
  weigh(item: T): number
}

/** Without limits: 256 items may wait. */
export function createEventQueue<T>(
  { highWater, weigh }: QueueLimits<T> = { highWater: 256, weigh: () => 1 },
): EventQueue<T> {
  let waiting: T[] = []
  let weight = 0
  let ended = false
  let wakeReader: (() => void) | undefined
  let held: (() => void)[] = []

  const wake = () => {
    wakeReader?.()
    wakeReader = undefined
  }
  const letWritersGo = () => {
    const writers = held
    held = []
    for (const go of writers) go()
  }
  async function* items() {
    for (;;) {
      const batch = waiting
      waiting = []
      weight = 0
      letWritersGo()
      yield* batch
      if (waiting.length > 0) continue
      if (ended) return
      await new Promise<void>((resolve) => {
        wakeReader = resolve
      })
    }
  }
  return {
    push(item) {
      if (ended) return Promise.resolve()
      waiting.push(item)
      weight += weigh(item)
      wake()
      if (weight < highWater) return Promise.resolve()
      return new Promise((resolve) => held.push(resolve))
    },
    end() {
      ended = true
      letWritersGo()
      wake()
    },
    items: items(),
  }
}
