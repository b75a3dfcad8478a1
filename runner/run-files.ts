import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isErrno } from '../adapters/is-errno.ts'
import type { RunExit, RunSpec } from '../contracts/agent.ts'

/** Names inside `runs/<runId>/`. */
export const SPEC_FILE = 'spec.json'
export const RUNNER_FILE = 'runner.json'
export const EVENTS_FILE = 'events.ndjson'
export const EXIT_FILE = 'exit.json'
export const SOCKET_FILE = 'sock'
export const TMP_FOLDER = 'tmp'

/** Who hosts a run: made once, exclusively, so that two runners can never host the same one. */
export interface RunnerFile {
  pid: number
  /** Field 22 of /proc/<pid>/stat: a pid alone may be somebody else's by now. */
  startTime: string
  tag: string
}

const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/

/** The directory of a run. Throws for an id that is no file name. */
export function runDirectory(runsFolder: string, runId: string): string {
  if (!RUN_ID.test(runId)) throw new Error(`not a run id: ${JSON.stringify(runId)}`)
  return join(runsFolder, runId)
}

export const readSpec = (dir: string) => readJson<RunSpec>(join(dir, SPEC_FILE))
export const readRunnerFile = (dir: string) => readJson<RunnerFile>(join(dir, RUNNER_FILE))
export const readExit = (dir: string) => readJson<RunExit>(join(dir, EXIT_FILE))

/** Undefined when the file is not there. */
async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

/** Written beside, flushed, renamed, and the folder flushed: after a crash it is the whole file or none. */
export function writeAtomically(path: string, value: unknown): void {
  const temporary = writeBeside(path, value)
  renameSync(temporary, path)
  flush(dirname(path))
}

/** Like `writeAtomically`, but false, and nothing written, when the file exists already. */
export function writeExclusively(path: string, value: unknown): boolean {
  const temporary = writeBeside(path, value)
  try {
    linkSync(temporary, path)
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  } finally {
    unlinkSync(temporary)
  }
}

function writeBeside(path: string, value: unknown): string {
  const temporary = `${path}.${process.pid}`
  const file = openSync(temporary, 'w', 0o600)
  try {
    writeSync(file, `${JSON.stringify(value)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return temporary
}

function flush(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
