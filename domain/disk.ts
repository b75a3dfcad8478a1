/** Codes of Node, Postgres (class 53, insufficient resources) and `git/` for a disk that takes no more. */
const CODES = new Set(['ENOSPC', 'EDQUOT', 'EROFS', '53100', 'disk_full'])
/** As the C library says it; programs that we start pass it on. */
const TEXT = /No space left on device|Disk quota exceeded|Read-only file system/i

/** Whether something failed because it could not be written: no space, no inodes, a quota, a disk that is read-only. */
export function isDiskFull(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  return (
    (typeof code === 'string' && CODES.has(code)) ||
    (typeof message === 'string' && TEXT.test(message))
  )
}

/** A run is not started, because what it writes would not fit. The message is for people. */
export class DiskLow extends Error {
  readonly code = 'ENOSPC'
}

/** Why no run is started now, for the person who waits; undefined while there is enough space. */
export function reasonOfLowDisk(disk: {
  path: string
  freeBytes: number
  low: boolean
}): string | undefined {
  if (!disk.low) return undefined
  const free = Math.floor(disk.freeBytes / 1024 ** 2)
  return `disk almost full: ${free} MB free on ${disk.path}; free some space`
}
