import { createObjectReader, type ObjectReader, type ReaderProcess } from './object-reader.ts'

/** Readers by repository: made when first asked, ended when nobody asked for a while or too many others are in use. */
export interface ObjectReaders {
  of(gitDir: string): ObjectReader
  /** Ends the repository's reader: what it read at its start may not hold any more. */
  forget(gitDir: string): void
  close(): void
}

const MAX_READERS = 8
const IDLE_MS = 30_000

export function createObjectReaders(start: (gitDir: string) => ReaderProcess): ObjectReaders {
  const readers = new Map<string, { reader: ObjectReader; timer: NodeJS.Timeout }>()

  const forget = (gitDir: string) => {
    const found = readers.get(gitDir)
    if (!found) return
    readers.delete(gitDir)
    clearTimeout(found.timer)
    found.reader.close()
  }
  const open = (gitDir: string) => {
    const timer = setTimeout(() => forget(gitDir), IDLE_MS).unref()
    const reader: ObjectReader = createObjectReader(
      () => start(gitDir),
      () => {
        if (readers.get(gitDir)?.reader === reader) readers.delete(gitDir)
        clearTimeout(timer)
      },
    )
    const [oldest] = readers.keys()
    if (readers.size >= MAX_READERS && oldest !== undefined) forget(oldest)
    return { reader, timer }
  }
  return {
    of(gitDir) {
      const found = readers.get(gitDir) ?? open(gitDir)
      found.timer.refresh()
      // the last one asked is the last to go
      readers.delete(gitDir)
      readers.set(gitDir, found)
      return found.reader
    },
    forget,
    close() {
      for (const gitDir of [...readers.keys()]) forget(gitDir)
    },
  }
}
