import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export const INSTALL_GEMINI = 'npm install -g @google/gemini-cli'

/** Where its installers put it; a server started from a desktop does not always have them on its PATH. */
const USUAL_PLACES = ['.local/bin', '.npm-global/bin']

/** The person's own `gemini`: the PATH first, then the usual places of its installers. Undefined when there is none. */
export function findGemini(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { PATH = '', HOME } = env
  const places = [
    ...PATH.split(delimiter).filter((folder) => folder !== ''),
    ...(HOME ? USUAL_PLACES.map((place) => join(HOME, place)) : []),
    '/usr/local/bin',
    '/opt/homebrew/bin',
  ]
  return places.map((folder) => join(folder, 'gemini')).find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    // Not there, or not ours to run: the next place.
    return false
  }
}
