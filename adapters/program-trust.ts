import { statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname } from 'node:path'
import { isInside } from './inside.ts'

const WORLD_WRITABLE = 0o002
const STICKY = 0o1000

/**
 * Why a program must not be started: agents or other people could have put it there, or can change it. Undefined when nothing speaks
 * against it. `path`: where it was found, `realpath`: what that leads to; both folders count, because who changes the link changes the program.
 */
export function whyUnsafe(
  { path, realpath }: { path: string; realpath: string },
  projects: readonly string[],
): string | undefined {
  const project = projects.find((folder) => isInside(path, folder) || isInside(realpath, folder))
  if (project !== undefined) return `it is inside ${project}, where agents work`
  const folders = [dirname(realpath), dirname(path)]
  for (const each of [realpath, ...folders]) {
    const why = writtenByOthers(each)
    if (why !== undefined) return why
  }
  const above = folders.flatMap(ancestorsOf).find(isOpen)
  return above === undefined ? undefined : everybody(above)
}

/** Name of the owner, as far as this process knows it. */
export function ownerOf(path: string): string {
  const { uid } = statSync(path)
  if (uid === 0) return 'root'
  const me = userInfo()
  return uid === me.uid ? me.username : `uid ${uid}`
}

function writtenByOthers(path: string): string | undefined {
  const { mode, uid } = statSync(path)
  if (process.getuid === undefined) return undefined // Windows has other rights
  if ((mode & WORLD_WRITABLE) !== 0) return everybody(path)
  if (uid === 0 || uid === process.getuid()) return undefined
  return `${path} belongs to another user (uid ${uid})`
}

const everybody = (path: string) => `${path} may be written by everybody (chmod o-w)`

/** In a folder like /tmp nobody can replace what another one owns. */
function isOpen(folder: string): boolean {
  const { mode } = statSync(folder)
  return process.getuid !== undefined && (mode & WORLD_WRITABLE) !== 0 && (mode & STICKY) === 0
}

function ancestorsOf(folder: string): string[] {
  const parent = dirname(folder)
  return parent === folder ? [] : [parent, ...ancestorsOf(parent)]
}
