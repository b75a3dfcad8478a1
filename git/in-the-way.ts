import { readdir } from 'node:fs/promises'
import type { GitCall, GitRunner } from './run.ts'
import { asText, foldersOf, lines, statIn } from './tree.ts'

interface Place {
  /** As git lists it. */
  name: string
  isFolder: boolean
}

/**
 * What the person has where a merge writes, and git overwrites without a word: what they ignore (notes, keys), what is in a repository of its own,
 * such as a submodule that becomes something else, a link in the place of a folder, and what is staged in a folder that a file gives way to.
 */
export async function inTheWay(
  git: GitRunner,
  call: GitCall,
  { path, from, to }: { path: string; from: string; to: string },
): Promise<string[]> {
  const what = ['-r', '-z', '--name-status', '--no-renames']
  const fields = lines((await git.run(['diff-tree', ...what, from, to], call)).stdout)
  const own = await stagedInTheWay(git, call, { names: fields.filter(isName), from, to })
  const places = await placesOnDisk(path, fields)
  if (places.length === 0) return own
  // where names differ in case only, they are one file on such a disk
  const asKey = (name: string) =>
    call.settings?.['core.ignorecase'] === 'true' ? name.toLowerCase() : name
  const listed = lines((await git.run(['ls-files', '-z'], call)).stdout)
  // it may hold what the merge adds already: one that was killed half way
  const index = new Set(listed.map(asKey))
  const isKnown = (name: string) => index.has(asKey(name))
  const found = [...own]
  for (const { name, isFolder } of places) {
    const unknown = isFolder ? await unknownIn(path, name, isKnown) : !isKnown(name) && name
    if (unknown) found.push(asText(unknown))
  }
  return found
}

/**
 * What the person staged at a place that the merge changes, or above or below it, but for what the merge brings as well. Git refuses most of it,
 * and drops what is staged where a file and a folder take each other's place.
 */
async function stagedInTheWay(
  git: GitRunner,
  call: GitCall,
  { names, from, to }: { names: readonly string[]; from: string; to: string },
): Promise<string[]> {
  const [changed, above] = [new Set(names), new Set(names.flatMap(foldersOf))]
  const overlaps = (name: string) =>
    changed.has(name) || above.has(name) || foldersOf(name).some((folder) => changed.has(folder))
  const own = [...(await staged(git, call, from))].filter(overlaps)
  if (own.length === 0) return []
  const others = await staged(git, call, to)
  return own.filter((name) => others.has(name)).map(asText)
}

/** Names of which the person's index has something else than a commit. */
export async function staged(git: GitRunner, call: GitCall, from: string): Promise<Set<string>> {
  const what = ['-z', '--name-only', '--no-renames', '--ignore-submodules=dirty']
  return new Set(lines((await git.run(['diff-index', '--cached', ...what, from], call)).stdout))
}

const isName = (_: string, index: number) => index % 2 === 1

/** What is there in the place of something that the merge adds, or of a folder that it writes in. `fields`: pairs of status and name. */
async function placesOnDisk(path: string, fields: readonly string[]): Promise<Place[]> {
  const names = fields.filter((field, index) => isName(field, index) && fields[index - 1] !== 'D')
  const added = fields.filter(
    (field, index) => isName(field, index) && /[AT]/.test(fields[index - 1] ?? ''),
  )
  const places: Place[] = []
  const links = new Set<string>()
  // what is behind a link is not in the checkout
  const isBehind = (name: string) => foldersOf(name).some((folder) => links.has(folder))
  for (const folder of new Set(names.flatMap(foldersOf))) {
    const info = isBehind(folder) ? undefined : await statIn({ path }, folder)
    if (!info || info.isDirectory()) continue
    links.add(folder)
    places.push({ name: folder, isFolder: false })
  }
  for (const name of added) {
    const info = isBehind(name) ? undefined : await statIn({ path }, name)
    if (info) places.push({ name, isFolder: info.isDirectory() })
  }
  return places
}

/** The first thing in a folder that git does not know; a repository of its own is one, with a slash at the end. */
async function unknownIn(
  path: string,
  folder: string,
  isKnown: (name: string) => boolean,
): Promise<string | undefined> {
  const at = Buffer.from(`${folder}/`, 'latin1')
  const entries = await readdir(Buffer.concat([Buffer.from(`${path}/`), at]), {
    ...{ withFileTypes: true, encoding: 'latin1' },
  }).catch(() => undefined)
  // one that cannot be opened may hold anything
  if (!entries || entries.some(({ name }) => name === '.git')) return `${folder}/`
  for (const entry of entries) {
    const name = `${folder}/${entry.name}`
    const unknown = entry.isDirectory()
      ? await unknownIn(path, name, isKnown)
      : !isKnown(name) && name
    if (unknown) return unknown
  }
  return undefined
}
