import { existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'

const GIB = 1024 ** 3
const MIB = 1024 ** 2
/** 5 % of a large disk is more than any run needs: the share counts up to this. */
const SHARE_CAP = 10 * GIB

export interface DiskSpace {
  /** The folder that was asked about, or its nearest parent that exists. */
  path: string
  freeBytes: number
  totalBytes: number
  /** Too little: runs are not started. */
  low: boolean
}

/**
 * Space on the disk of `path`, or of its nearest folder that exists. Low is below 1 GiB or 5 % (at most 10 GiB), or
 * below `minFreeMb` MiB where that is given.
 */
export function diskSpace(path: string, minFreeMb?: number): DiskSpace {
  let dir = path
  while (!existsSync(dir)) dir = dirname(dir)
  const { bavail, blocks, bsize } = statfsSync(dir)
  const freeBytes = bavail * bsize
  const totalBytes = blocks * bsize
  const least =
    minFreeMb === undefined
      ? Math.max(GIB, Math.min(totalBytes * 0.05, SHARE_CAP))
      : minFreeMb * MIB
  return { path: dir, freeBytes, totalBytes, low: freeBytes < least }
}

/** What to tell a person when the disk is nearly full. */
export function diskWarning(path: string, minFreeMb?: number): string | undefined {
  const { freeBytes, low } = diskSpace(path, minFreeMb)
  if (!low) return undefined
  return `only ${(freeBytes / GIB).toFixed(1)} GiB are free on the disk of ${path}: free some; until then no agent is started`
}
