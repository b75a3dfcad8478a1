/** Answers that can never change, by their question: those asked last are kept. */
export interface Memo<T> {
  get(key: string, make: () => Promise<T>): Promise<T>
  put(key: string, value: T): void
}

export function createMemo<T>(max: number): Memo<T> {
  const known = new Map<string, T>()
  const put = (key: string, value: T) => {
    known.delete(key)
    known.set(key, value)
    const [oldest] = known.keys()
    if (known.size > max && oldest !== undefined) known.delete(oldest)
  }
  return {
    put,
    async get(key, make) {
      const value = known.get(key) ?? (await make())
      put(key, value)
      return value
    },
  }
}
