import { readdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'

/** Where people keep their checkouts, under their home. */
const USUAL = [
  '',
  'code',
  'src',
  'projects',
  'Projects',
  'dev',
  'work',
  'repos',
  'git',
  'Documents',
  'Developer',
]
const MOST_ENTRIES = 400
const MOST_FOUND = 12

/**
 * Checkouts that a person may mean: beside those that are known, and in the usual folders of their home. Only names are read; the
 * latest used first. A folder that cannot be read has none.
 */
export async function nearbyRepositories(
  known: readonly string[],
  home: string = homedir(),
): Promise<{ path: string; name: string }[]> {
  const folders = new Set([...known.map(dirname), ...USUAL.map((name) => join(home, name))])
  const found = (await Promise.all([...folders].map(checkoutsIn))).flat()
  const used = new Map(found.map(({ path, at }) => [path, at]))
  for (const path of known) used.delete(path)
  return [...used]
    .sort(([, one], [, other]) => other - one)
    .slice(0, MOST_FOUND)
    .map(([path]) => ({ path, name: basename(path) }))
}

async function checkoutsIn(folder: string): Promise<{ path: string; at: number }[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const folders = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .slice(0, MOST_ENTRIES)
  const looked = await Promise.all(
    folders.map(async ({ name }) => {
      const path = join(folder, name)
      // its index is written by every git command that changes something
      const used = await stat(join(path, '.git', 'index')).catch(() => undefined)
      return used ? [{ path, at: used.mtimeMs }] : []
    }),
  )
  return looked.flat()
}
