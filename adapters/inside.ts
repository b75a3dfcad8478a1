import { lstatSync, readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { RunSpec } from '../contracts/agent.ts'
import { isErrno } from './is-errno.ts'

/** Whether the path is below the folder, as both are written. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way !== '' && way !== '..' && !way.startsWith('../') && !way.startsWith('/')
}

/** Where a file would come to lie that may not be there yet: without the links on its way. Throws for links that go round. */
function placeOf(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if (!isErrno(error, 'ENOENT') || dirname(path) === path) throw error
  }
  const link = lstatSync(path, { throwIfNoEntry: false })
  if (link) return placeOf(resolve(placeOf(dirname(path)), readlinkSync(path)))
  return join(placeOf(dirname(path)), basename(path))
}

/**
 * Whether a file that an agent is to change is one of its run: in the working folder, or in the run's TMPDIR. False for what is no path, and
 * for one that only the agent knows to read (`~`).
 */
export function isOfRun(path: unknown, { cwd, env }: Pick<RunSpec, 'cwd' | 'env'>): boolean {
  if (typeof path !== 'string' || path.startsWith('~')) return false
  const folders = [cwd, ...(env['TMPDIR'] ? [env['TMPDIR']] : [])]
  try {
    const place = placeOf(resolve(cwd, path))
    return folders.some((folder) => isInside(place, placeOf(folder)))
  } catch {
    return false // links that go round, or a folder that nobody may look into
  }
}
