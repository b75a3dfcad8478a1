import { condition, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow'

/** The least that Temporal can do: activities with nothing in them. */
const { nothing } = proxyActivities<{ nothing(): Promise<void> }>({ startToCloseTimeout: '1m' })

export const go = defineSignal('go')
export const stop = defineSignal('stop')

/** Starts, does `count` activities one after another, ends. */
export async function roundTrips(count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) await nothing()
}

/** One activity for each signal, until it is stopped. */
export async function onSignal(): Promise<void> {
  let told = 0
  let stopped = false
  setHandler(go, () => {
    told += 1
  })
  setHandler(stop, () => {
    stopped = true
  })
  for (;;) {
    await condition(() => told > 0 || stopped)
    if (stopped) return
    told -= 1
    await nothing()
  }
}
