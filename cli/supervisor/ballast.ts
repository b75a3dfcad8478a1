import { randomFillSync } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { type DiskSpace, diskSpace } from '../../config/disk.ts'

const MIB = 1024 ** 2
const BALLAST_BYTES = 200 * MIB
/** Below this the disk counts as full: Postgres writes its log ahead in files of 16 MiB. */
const FULL_BYTES = 64 * MIB
const LOOK_EVERY_MS = 5_000
/** A home that is up for a moment only, such as a demo's, is spared the writing. */
const MAKE_AFTER_MS = 60_000

export interface BallastOptions {
  file: string
  /** Lines for people. */
  say: (line: string) => void
  /** Default: what the disk of `file` has. */
  space?: () => DiskSpace
  bytes?: number
  fullBytes?: number
  lookEveryMs?: number
  makeAfterMs?: number
}

/**
 * Keeps a file of 200 MB that is given up as soon as the disk is full, whoever filled it: Postgres, Temporal and the agents' records
 * can then go on being written while a person frees space. It is made again when there is plenty. Returns the function that ends the
 * watch; the file stays for the next start.
 */
export function keepBallast(options: BallastOptions): () => void {
  const { file, say, bytes = BALLAST_BYTES, fullBytes = FULL_BYTES } = options
  const space = options.space ?? (() => diskSpace(file))
  const since = performance.now()
  let making = false
  const look = () => {
    const { freeBytes, low, path } = space()
    if (existsSync(file)) {
      if (freeBytes >= fullBytes || making) return
      rmSync(file, { force: true })
      say(
        `the disk of ${path} is full: a reserve of ${Math.round(bytes / MIB)} MB was given up so that nothing is lost; free some space`,
      )
      return
    }
    if (making || low || freeBytes < 10 * bytes) return
    if (performance.now() - since < (options.makeAfterMs ?? MAKE_AFTER_MS)) return
    making = true
    void writeBallast(file, bytes)
      .catch((error: Error) => {
        clearInterval(timer) // told once; the next start tries again
        rmSync(file, { force: true })
        say(`no reserve could be kept on the disk of ${path}: ${error.message}`)
      })
      .finally(() => {
        making = false
      })
  }
  const timer = setInterval(look, options.lookEveryMs ?? LOOK_EVERY_MS)
  timer.unref()
  look() // a start on a full disk needs the room before anything else
  return () => clearInterval(timer)
}

/** Random bytes, because zeros take no room where a file system compresses. */
async function writeBallast(file: string, bytes: number): Promise<void> {
  const piece = randomFillSync(Buffer.alloc(Math.min(MIB, bytes)))
  const handle = await open(file, 'wx', 0o600)
  try {
    for (let left = bytes; left > 0; left -= piece.length)
      await handle.write(piece, 0, Math.min(left, piece.length))
  } finally {
    await handle.close()
  }
}
