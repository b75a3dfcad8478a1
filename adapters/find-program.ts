import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where installers put agents, below the home; a server started from a desktop does not always have them on its PATH. */
const USUAL_PLACES = [
  '.local/bin',
  '.claude/local',
  '.npm-global/bin',
  '.cargo/bin',
  '.bun/bin',
  '.volta/bin',
]

/** The person's own program of that name: the PATH first, then the usual places of installers. Undefined when there is none. */
export function findProgram(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const { PATH = '', HOME } = env
  const places = [
    ...PATH.split(delimiter).filter((folder) => folder !== ''),
    ...(HOME ? USUAL_PLACES.map((place) => join(HOME, place)) : []),
    '/usr/local/bin',
    '/opt/homebrew/bin',
  ]
  return places.map((folder) => join(folder, name)).find(isProgram)
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
