/** What must be ended when a person interrupts the benchmarks, newest first. */
const pending: (() => Promise<void>)[] = []

/** Registers `close`; the returned function does it, once, and forgets it. */
export function closing(close: () => Promise<void>): () => Promise<void> {
  const once = async () => {
    const index = pending.indexOf(once)
    if (index === -1) return
    pending.splice(index, 1)
    await close()
  }
  pending.push(once)
  return once
}

export async function closeAll(): Promise<void> {
  while (pending.length > 0) await pending.at(-1)?.()
}
