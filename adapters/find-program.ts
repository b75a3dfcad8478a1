import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { type Env, filesAt, type Ground } from './expand-place.ts'
import { PLACES } from './places.ts'
import { ownerOf, whyUnsafe } from './program-trust.ts'

/** Where to look for programs, and what not to trust. */
export interface ProgramSearch {
  env: Env
  /** The person's own choice, an absolute path: it alone is looked at. */
  path?: string | undefined
  /** Folders that agents change, such as registered projects: no program in them is started. */
  projects?: readonly string[] | undefined
  /** For tests: another root of the file system, another system. */
  ground?: Partial<Ground> | undefined
}

export interface FoundProgram {
  /** Where it was found; started by this path, because a version manager's shim goes by its name. */
  path: string
  realpath: string
  /** Who put it there: "nvm", "PATH". */
  place: string
  /** Name of its owner. */
  owner: string
  /** Why it must not be started. */
  unsafe?: string
}

export interface ProgramChoice {
  chosen?: FoundProgram
  /** Other copies, in order of preference. */
  others: readonly FoundProgram[]
  /** Why none is chosen although the person named one, or some are there: what to do, in words. */
  problem?: string
}

/**
 * The program of that name to start: the person's own choice, else the first on the PATH, else in the places of installers. One that
 * others could have changed is never chosen. Looks at the disk each time, some milliseconds; starts nothing.
 */
export function chooseProgram(name: string, search: ProgramSearch): ProgramChoice {
  if (search.path) return chosenByPerson(search.path, search)
  const found = allPrograms(name, search)
  const chosen = found.find(({ unsafe }) => unsafe === undefined)
  const others = found.filter((each) => each !== chosen)
  const [first] = others
  if (chosen || !first?.unsafe) return { ...(chosen ? { chosen } : {}), others }
  return { others, problem: `${first.path} is not started: ${first.unsafe}` }
}

/** The path of the program to start; undefined when there is none. */
export const findProgram = (name: string, env: Env): string | undefined =>
  chooseProgram(name, { env }).chosen?.path

/** Why the program that a person names is not started; undefined when it is. */
export function whyNotStarted(path: string, search: ProgramSearch): string | undefined {
  if (!isAbsolute(path)) return `${path} is no absolute path`
  const found = lookAt(path, 'settings', search)
  if (!found) return `there is no program at ${path}`
  return found.unsafe && `${path} is not started: ${found.unsafe}`
}

function chosenByPerson(path: string, search: ProgramSearch): ProgramChoice {
  const why = whyNotStarted(path, search)
  const chosen = why === undefined ? lookAt(path, 'settings', search) : undefined
  if (chosen) return { chosen, others: [] }
  return { others: [], problem: `The program that was set is wrong: ${why}` }
}

/** Every copy, in order of preference; a copy that several places lead to is named once. */
function allPrograms(name: string, search: ProgramSearch): FoundProgram[] {
  const { env, ground = {} } = search
  const here: Ground = { env, root: '', platform: process.platform, ...ground }
  const names = here.platform === 'win32' ? [`${name}.exe`, `${name}.cmd`] : [name]
  // a folder that depends on where one stands is no place to find a program in
  const onPath = (env['PATH'] ?? '').split(delimiter).filter(isAbsolute)
  const files = [
    ...onPath.flatMap((folder) => names.map((file) => ({ file: join(folder, file), by: 'PATH' }))),
    ...PLACES.flatMap((place) =>
      filesAt(place, name, here).map((file) => ({ file, by: place.by })),
    ),
  ]
  const seen = new Set<string>()
  const found: FoundProgram[] = []
  for (const { file, by } of files) {
    const program = lookAt(file, by, search)
    if (!program) continue
    const same = `${program.realpath}\0${program.unsafe === undefined}`
    if (seen.has(same)) continue
    seen.add(same)
    found.push(program)
  }
  return found
}

function lookAt(path: string, place: string, search: ProgramSearch): FoundProgram | undefined {
  if (!isProgram(path)) return undefined
  const realpath = realpathSync(path)
  const unsafe = whyUnsafe({ path, realpath }, search.projects ?? [])
  return { path, realpath, place, owner: ownerOf(realpath), ...(unsafe ? { unsafe } : {}) }
}

/** Whether this is a file that we may run. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    // Not there, or not ours to run: the next place.
    return false
  }
}

/** The PATH with the program's own folder at its end: a script that npm installed needs the Node that stands beside it. */
export function pathWith(binary: string, path = ''): string {
  const folders = path.split(delimiter).filter((folder) => folder !== '')
  const own = dirname(binary)
  return (folders.includes(own) ? folders : [...folders, own]).join(delimiter)
}
