import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno } from '../adapters/is-errno.ts'
import { isAlive, taggedProcesses } from '../adapters/process-tree.ts'
import { readRunnerFile } from './run-files.ts'

/** A folder below `runs/` that nothing knows of. */
export interface RunLeftover {
  /** Its name: a run's id, or `.new-…` for one whose making was cut off. */
  name: string
  path: string
}

/** A row comes before its run's folder, so a folder without one is no newcomer; this is for what is being made now. */
const OLD_MS = 10 * 60_000

/**
 * Folders of runs that no row names and that no process works in, and halves of new ones; only those untouched for
 * 10 minutes. `known` answers which of the ids have a row.
 */
export async function findRunLeftovers(
  runs: string,
  known: (ids: readonly string[]) => Promise<readonly string[]>,
): Promise<RunLeftover[]> {
  const names = await namesIn(runs)
  const unfinished = names.filter((name) => name.startsWith('.new-'))
  const ids = names.filter((name) => !name.startsWith('.'))
  const rows = new Set(await known(ids))
  const found: RunLeftover[] = []
  const busy = new Set(taggedProcesses().map(({ runDir }) => runDir))
  for (const name of [...ids.filter((id) => !rows.has(id)), ...unfinished]) {
    const path = join(runs, name)
    const runner = await readRunnerFile(path)
    if (busy.has(path) || (runner && isAlive(runner)) || !(await isOld(path))) continue
    found.push({ name, path })
  }
  return found
}

/** Removes them; links in them are not followed. */
export async function removeRunLeftovers(leftovers: readonly RunLeftover[]): Promise<void> {
  for (const { path } of leftovers) await rm(path, { recursive: true, force: true, maxRetries: 3 })
}

async function isOld(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined)
  return info !== undefined && Date.now() - info.mtimeMs > OLD_MS
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}
