/** Runs work one at a time per key (a repository's common directory), in the order asked for. */
export interface Queue {
  run<T>(key: string, work: () => Promise<T>): Promise<T>
}

/** Within one process; between processes the refs' compare-and-swap and exclusive file creation decide. */
export function createQueue(): Queue {
  const tails = new Map<string, Promise<unknown>>()
  return {
    run(key, work) {
      const result = (tails.get(key) ?? Promise.resolve()).then(work, work)
      const tail = result.then(
        () => undefined,
        () => undefined,
      )
      tails.set(key, tail)
      void tail.then(() => {
        if (tails.get(key) === tail) tails.delete(key)
      })
      return result
    },
  }
}
