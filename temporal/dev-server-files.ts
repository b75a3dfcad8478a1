import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

/** The server that was started last on a folder: `dev-server.json` there. */
export interface ServerState {
  pid: number
  port: number
  uiPort: number | null
  version: string
}

/** Of one version of the CLI: the server never migrates it. */
export const databaseFile = (dir: string, version: string) => join(dir, `temporal-${version}.db`)

/** More than a server is given to come up. */
const MAKING_MS = 60_000
const markOfMaking = (file: string) => `${file}.making`

/**
 * To be called before a server is started on its file. One that was ended while it made it has left a part of the tables, and no
 * later one would add the rest: what is left is removed, unless it was written long after, for then there may be goals in it.
 */
export function removeHalfMade(dir: string, version: string): void {
  const file = databaseFile(dir, version)
  const mark = markOfMaking(file)
  const writtenAt = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs
  const begunAt = writtenAt(mark)
  const parts = [file, `${file}-wal`, `${file}-shm`]
  const isHalf =
    begunAt !== undefined && parts.every((part) => (writtenAt(part) ?? 0) < begunAt + MAKING_MS)
  if (isHalf) for (const part of parts) rmSync(part, { force: true })
  rmSync(mark, { force: true })
  if (!existsSync(file)) writeFileSync(mark, '', { mode: 0o600 })
}

/** To be called when a server on it answers. */
export const fileIsMade = (dir: string, version: string) =>
  rmSync(markOfMaking(databaseFile(dir, version)), { force: true })

/** The CLI version whose file in this folder was written last, so that goals are on it; undefined when there is none. */
export function lastUsedVersion(dir: string): string | undefined {
  const names = statSync(dir, { throwIfNoEntry: false }) ? readdirSync(dir) : []
  const used = names.flatMap((name) => {
    const version = /^temporal-(.*)\.db(?:-wal)?$/.exec(name)?.[1]
    // the log of a server that just ends goes away
    const at = statSync(join(dir, name), { throwIfNoEntry: false })?.mtimeMs ?? 0
    return version ? [{ version, at }] : []
  })
  return used.sort((one, other) => one.at - other.at).at(-1)?.version
}

const stateFile = (dir: string) => join(dir, 'dev-server.json')

export function writeState(dir: string, state: ServerState) {
  const temporary = `${stateFile(dir)}.${process.pid}`
  writeFileSync(temporary, JSON.stringify(state), { mode: 0o600 })
  renameSync(temporary, stateFile(dir))
}

/** What the server that was started last on this folder was given; it need not run any more. */
export function readState(dir: string): ServerState | undefined {
  try {
    const state = JSON.parse(readFileSync(stateFile(dir), 'utf8'))
    return typeof state?.pid === 'number' ? state : undefined
  } catch {
    return undefined // none, or one that a power cut spoilt: nothing has run since
  }
}

export const forgetState = (dir: string) => rmSync(stateFile(dir), { force: true })
