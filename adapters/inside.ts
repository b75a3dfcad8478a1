import { lstatSync, readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { isErrno } from './is-errno.ts'

/** Whether the path is below the folder, as both are written. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way !== '' && way !== '..' && !way.startsWith('../') && !way.startsWith('/')
}

/** Where a file would come to lie that may not be there yet: without the links on its way. Throws for links that go round. */
export function placeOf(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if (!isErrno(error, 'ENOENT') || dirname(path) === path) throw error
  }
  const link = lstatSync(path, { throwIfNoEntry: false })
  if (link) return placeOf(resolve(placeOf(dirname(path)), readlinkSync(path)))
  return join(placeOf(dirname(path)), basename(path))
}
