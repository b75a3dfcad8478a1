import { existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'

const GIB = 1024 ** 3

export interface DiskSpace {
  freeBytes: number
  totalBytes: number
  /** Below 1 GiB or 5 %: runs should not be started. */
  low: boolean
}

/** Space on the disk of `path`, or of its nearest folder that exists. */
export function diskSpace(path: string): DiskSpace {
  let dir = path
  while (!existsSync(dir)) dir = dirname(dir)
  const { bavail, blocks, bsize } = statfsSync(dir)
  const freeBytes = bavail * bsize
  const totalBytes = blocks * bsize
  return { freeBytes, totalBytes, low: freeBytes < GIB || freeBytes < totalBytes * 0.05 }
}

/** What to tell a person when the disk is nearly full. */
export function diskWarning(path: string): string | undefined {
  const { freeBytes, low } = diskSpace(path)
  if (!low) return undefined
  return `only ${(freeBytes / GIB).toFixed(1)} GiB are free on the disk of ${path}: free some, agents write a lot`
}
