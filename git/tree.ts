import { chmod, lstat, mkdir, readdir, realpath, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type ProjectLayout, writeWhole } from './layout.ts'
import { GitFailure, GitProblem } from './problem.ts'
import { type GitCall, type GitRunner, quotePath } from './run.ts'
import { slotPath } from './slots.ts'

/**
 * Everything that reads or writes files of an agent's worktree goes through here: git runs with the clean hub as its
 * repository, so filters, drivers and hooks that an agent configured do not exist for it. Objects go to the sandbox hub.
 */
export interface SlotTree {
  path: string
  adminDir: string
  call: GitCall
  /** Files that are left alone, as text. */
  without?: readonly string[]
}

/** Git has no right to read a file. */
class UnreadableFile extends GitProblem {
  readonly file: string
  constructor(file: string) {
    const advice = 'Make it readable (chmod u+r, or chown), or delete it, then try again.'
    super('unreadable', `Git cannot read ${file}.`, advice)
    this.file = file
  }
}

/** A file is not in the encoding that its attributes name (`working-tree-encoding`), as one that was written in UTF-8 by habit. */
const wronglyEncoded = (said: string) =>
  new GitProblem(
    'unsafe_commit',
    `The work was refused: ${said}.`,
    'Retry the stage so that the agent makes it again.',
  )

/** Does something with files that are made readable where git cannot read them: it names one at a time. */
export async function opening<T>(tree: SlotTree, work: (tree: SlotTree) => Promise<T>): Promise<T> {
  const opened = new Set<string>()
  for (;;) {
    try {
      return await work(tree)
    } catch (error) {
      if (!(error instanceof UnreadableFile) || opened.has(error.file)) throw error
      opened.add(error.file)
      if (!(await makeReadable(tree.path, error.file))) throw error
    }
  }
}

/** The same without those that cannot be made readable, which it tells. */
export async function sparing<T>(
  tree: SlotTree,
  work: (tree: SlotTree) => Promise<T>,
): Promise<{ result: T; unreadable: string[] }> {
  const unreadable: string[] = []
  for (;;) {
    try {
      return { result: await opening({ ...tree, without: unreadable }, work), unreadable }
    } catch (error) {
      if (!(error instanceof UnreadableFile) || unreadable.includes(error.file)) throw error
      unreadable.push(error.file)
    }
  }
}

/** False for what is somebody else's, or elsewhere: in what git says an agent's name of a file can look like that of another one. */
async function makeReadable(worktree: string, file: string): Promise<boolean> {
  const path = resolve(worktree, file)
  const folder = await realpath(dirname(path)).catch(() => undefined)
  if (folder !== dirname(path) || !path.startsWith(`${worktree}/`)) return false
  const info = await lstat(path).catch(() => undefined)
  if (!info || info.isSymbolicLink()) return false
  return chmod(path, info.mode | (info.isDirectory() ? 0o700 : 0o600)).then(
    () => true,
    () => false,
  )
}

export function slotTree(layout: ProjectLayout, slot: { name: string; admin: string }): SlotTree {
  const path = slotPath(layout, slot.name)
  const adminDir = join(layout.sandbox, 'worktrees', slot.admin)
  return {
    path,
    adminDir,
    call: {
      gitDir: layout.clean,
      workTree: path,
      indexFile: join(adminDir, 'index'),
      objectDir: join(layout.sandbox, 'objects'),
    },
  }
}

/** Links are none: what an agent put in the place of a folder may lead to what is the person's. */
export const isRealFolder = (path: string) =>
  lstat(path).then(
    (info) => info.isDirectory(),
    () => false,
  )

/** Whether the worktree and its hub know of each other: an agent can delete either side. */
export async function isLinked({ path, adminDir }: SlotTree): Promise<boolean> {
  if (!(await isRealFolder(path))) return false
  const own = ['HEAD', 'commondir', 'gitdir'].map((name) => join(adminDir, name))
  const there = await Promise.all(
    [join(path, '.git'), ...own].map((file) => stat(file).catch(() => undefined)),
  )
  return there.every((info) => info !== undefined)
}

/** The files by which they do. */
export async function link({ path, adminDir }: SlotTree): Promise<void> {
  const own = join(path, '.git')
  // an agent may have made a repository of its own there
  if (!(await stat(own).catch(() => undefined))) await writeWhole(own, `gitdir: ${adminDir}\n`)
  await writeWhole(join(adminDir, 'commondir'), '../..\n')
  await writeWhole(join(adminDir, 'gitdir'), `${own}\n`)
}

/** Makes files and index equal to a commit or tree; what differs is overwritten, untracked files elsewhere stay. */
export async function checkOut(git: GitRunner, tree: SlotTree, sha: string): Promise<void> {
  await git.run(['read-tree', '--reset', '-u', sha], {
    ...tree.call,
    settings: { 'checkout.workers': '2' },
  })
}

/** Removes every file that is not tracked, ignored ones, nested repositories and what is in submodules too. Links are removed, never followed. */
export async function removeUntracked(git: GitRunner, tree: SlotTree): Promise<void> {
  await git.run(['clean', '-ffdqx'], tree.call)
  for (const { path } of (await list(git, tree.call)).links) {
    const folder = join(tree.path, asText(path))
    if ((await realpath(dirname(folder))) !== dirname(folder))
      throw new Error(`${folder} is not where it seems`)
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder)
  }
}

export function lines(buffer: Buffer): string[] {
  return buffer.toString('latin1').split('\0').filter(Boolean)
}

/**
 * The tree of everything in the worktree, staged or not; ignored files and nested repositories are left out (see `leftOut`).
 * The index follows, so the agent's own `git status` stays true.
 */
export async function snapshotTree(git: GitRunner, tree: SlotTree, head: string): Promise<string> {
  try {
    await fillIndex(git, tree, head)
    return await stageAll(git, tree)
  } catch (error) {
    if (
      !(error instanceof GitFailure) ||
      !/index file|bad signature|unknown index|index uses|invalid object/.test(error.stderr)
    )
      throw error
    await rm(join(tree.adminDir, 'index'), { recursive: true, force: true })
    await fillIndex(git, tree, head)
    return stageAll(git, tree)
  }
}

/** Makes an index that is not there: without one, what is tracked and ignored would be deleted. */
export async function fillIndex(git: GitRunner, tree: SlotTree, head: string): Promise<void> {
  if (await lstat(join(tree.adminDir, 'index')).catch(() => undefined)) return
  await git.run(['read-tree', head], tree.call)
}

async function stageAll(git: GitRunner, tree: SlotTree): Promise<string> {
  const [changed, listed] = await Promise.all([
    git.run(['diff', ...QUIET], tree.call),
    git.run(['ls-files', '-z', '-v', '-s', '--others', '--exclude-standard'], tree.call),
  ])
  const entries = lines(listed.stdout)
  if (await watchAll(git, tree, entries)) return stageAll(git, tree)
  const untracked = entries.filter((entry) => entry.startsWith('? ')).map(pathOf)
  const listedAsChanged = lines(changed.stdout)
  const behind = await behindLinks(tree, listedAsChanged)
  const there = listedAsChanged.filter((path) => !behind.has(path))
  const untouched = await untouchedFiles(git, tree, { changed: there, entries })
  const written = there.filter((path) => !untouched.has(path))
  // adding a nested repository would run git inside it
  const paths = [...written, ...untracked.filter((path) => !isNested(path))]
  const special = await specialFiles(tree, written)
  await updateIndex(
    git,
    tree,
    ['--force-remove'],
    [...behind, ...special, ...(await goneLinks(tree, entries))],
  )
  await updateIndex(
    git,
    tree,
    ADD,
    paths.filter((path) => !special.includes(path)),
  )
  return git.text(['write-tree'], tree.call)
}

/** Names of what differs from the index, and no program of anybody's. */
export const QUIET = [
  ...['--name-only', '-z', '--no-ext-diff', '--no-textconv', '--no-renames'],
  '--ignore-submodules=all',
]
export const ADD = ['--add', '--remove', '--replace']
/** Submodules whose folder an agent removed; one that nobody fetched is an empty folder, one to be skipped may be none. */
async function goneLinks(tree: SlotTree, entries: readonly string[]): Promise<string[]> {
  const links = entries.filter((entry) => /^[^Ss] 160000 /.test(entry)).map(pathOf)
  const there = await Promise.all(links.map((path) => statIn(tree, path)))
  return links.filter((_, index) => !there[index])
}

/** As `ls-files` lists it: what is in it is tracked there. */
export const isNested = (path: string) => path.endsWith('/')
/** Of an entry such as `? src/a.ts`, or what is tracked: `H 100644 <id> 0<tab>src/a.ts`. */
const pathOf = (entry: string) => entry.slice(entry.startsWith('? ') ? 2 : entry.indexOf('\t') + 1)

/**
 * Takes the marks from files that git was told not to look at (`assume-unchanged` is a small letter, `skip-worktree` an S): work in
 * them is work. Of those that are to be skipped and are not there it is no deletion. Returns whether there were any.
 */
async function watchAll(
  git: GitRunner,
  tree: SlotTree,
  entries: readonly string[],
): Promise<boolean> {
  const marked = entries.filter((entry) => /^[a-zS] /.test(entry))
  const there = await Promise.all(
    marked.map(async (entry) => !/^s/i.test(entry) || (await statIn(tree, pathOf(entry)))),
  )
  const paths = marked.filter((_, index) => there[index]).map(pathOf)
  for (const mark of ['assume-unchanged', 'skip-worktree'])
    await updateIndex(git, tree, [`--no-${mark}`], paths)
  return paths.length > 0
}

/** What `ls-files` tells of a folder, but for what the project's `.gitignore` files name. */
export interface Listing {
  /** Not tracked; a repository of its own is one name, with a slash at the end. */
  others: string[]
  /** Folders of which only a commit is tracked: submodules, and repositories that an agent added. */
  links: Folder[]
  /** Folders that git cannot open, with a slash at the end. */
  closed: string[]
}

/** A repository inside the worktree. `commit`: what is in it and nobody's work, as far as that is known. */
export interface Folder {
  path: string
  commit?: string
}

export async function list(git: GitRunner, call: GitCall): Promise<Listing> {
  const what = ['-z', '-t', '--stage', '--others', '--exclude-per-directory=.gitignore']
  const { stdout, stderr } = await git.run(['ls-files', ...what], call)
  const entries = lines(stdout)
  return {
    others: entries.filter((entry) => entry.startsWith('? ')).map(pathOf),
    links: entries.flatMap((entry) => {
      const [, commit, path] = /^\S 160000 (\w+) \d\t([\s\S]+)$/.exec(entry) ?? []
      return commit && path ? [{ path, commit }] : []
    }),
    closed: [...stderr.matchAll(CLOSED)].map(([, path = '']) =>
      Buffer.from(path).toString('latin1'),
    ),
  }
}

const CLOSED = /^warning: could not open directory '(.+\/)': Permission denied$/gm

/** To whoever spares files that git cannot read, a folder that it cannot open is one. */
export function refuseClosed({ without }: SlotTree, closed: readonly string[]): void {
  const next = without && closed.map(asText).find((path) => !without.includes(path))
  if (next !== undefined) throw new UnreadableFile(next)
}

/** A path as text. */
export const asText = (path: string) => Buffer.from(path, 'latin1').toString('utf8')

/** Where a file of a working tree is, by the name that git lists. */
export const placeIn = (tree: Pick<SlotTree, 'path'>, name: string) =>
  Buffer.concat([Buffer.from(`${tree.path}/`), Buffer.from(name, 'latin1')])

export const statIn = (tree: Pick<SlotTree, 'path'>, name: string) =>
  lstat(placeIn(tree, name)).catch(() => undefined)

/**
 * Of what git lists as changed, files that are to the byte as they were committed: attributes that came later (`text`, `eol`) would store them with
 * other line ends. Whoever works next to them has not changed them.
 */
async function untouchedFiles(
  git: GitRunner,
  tree: SlotTree,
  { changed, entries }: { changed: readonly string[]; entries: readonly string[] },
): Promise<Set<string>> {
  const names = new Set(changed)
  const files = entries.flatMap((entry) => {
    const path = pathOf(entry)
    const [, mode, id] = (names.has(path) && /^H 100(\d+) (\w+) 0\t/.exec(entry)) || []
    return mode && id ? [{ path, id, isProgram: mode === '755' }] : []
  })
  const stats = await Promise.all(files.map(({ path }) => statIn(tree, path)))
  const sameKind = files.filter((file, index) => {
    const info = stats[index]
    // an empty one may be new: `git add -N` notes it as one without content
    return info?.isFile() && info.size > 0 && file.isProgram === ((info.mode & 0o100) !== 0)
  })
  if (sameKind.length === 0) return new Set()
  const input = Buffer.from(sameKind.map(({ path }) => `${quotePath(path)}\n`).join(''), 'latin1')
  const { code, stdout } = await git.run(['hash-object', '--no-filters', '--stdin-paths'], {
    // one that cannot be read is told by who adds it
    ...{ ...tree.call, input, answers: [0, 128] },
  })
  const ids = code === 0 ? stdout.toString('utf8').split('\n') : []
  return new Set(sameKind.filter(({ id }, index) => id === ids[index]).map(({ path }) => path))
}

/** `a/b/c.txt` is in `a` and `a/b`. */
export const foldersOf = (path: string) =>
  [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index))

/** Paths of which a folder is a link by now: they are in the worktree no more, and git fails at them, whatever is where the link leads. */
export async function behindLinks(
  tree: Pick<SlotTree, 'path'>,
  paths: readonly string[],
): Promise<Set<string>> {
  const folders = [...new Set(paths.flatMap(foldersOf))]
  const stats = await Promise.all(folders.map((folder) => statIn(tree, folder)))
  const links = new Set(folders.filter((_, index) => stats[index]?.isSymbolicLink()))
  return new Set(paths.filter((path) => foldersOf(path).some((folder) => links.has(folder))))
}

/** What git reads before it says anything: of a worktree's folders, and of a repository inside it. */
const READ_FIRST = new Set(['.gitignore', '.gitattributes', '.gitmodules', 'HEAD'])

/**
 * Removes pipes, sockets and devices with such a name, in which there is no byte of anybody's: git would wait for one who writes to them until it is
 * taken for stuck, and with it all other work. Returns their paths.
 */
export async function removeWhatHangs(tree: SlotTree, folder = ''): Promise<string[]> {
  const at = placeIn(tree, folder)
  const options = { withFileTypes: true, encoding: 'latin1' } as const
  // one that cannot be opened, git cannot open either
  const entries = await readdir(at, options).catch(() => [])
  const removed = entries.map(async (entry) => {
    const path = `${folder}${entry.name}`
    if (entry.isDirectory()) return removeWhatHangs(tree, `${path}/`)
    if (entry.isFile() || entry.isSymbolicLink() || !READ_FIRST.has(entry.name)) return []
    await rm(placeIn(tree, path)).catch(() => {
      throw new UnreadableFile(asText(path))
    })
    return [asText(path)]
  })
  return (await Promise.all(removed)).flat()
}

/** Tracked files that are pipes, sockets or devices by now: git stops at them, as at nothing else. For us they are removed. */
async function specialFiles(tree: SlotTree, paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    paths.map(async (path) => {
      const info = await statIn(tree, path)
      return info && !info.isFile() && !info.isSymbolicLink() && !info.isDirectory() ? [path] : []
    }),
  )
  return found.flat()
}

export async function updateIndex(
  git: GitRunner,
  tree: SlotTree,
  how: readonly string[],
  paths: readonly string[],
): Promise<void> {
  const { without = [] } = tree
  const names = new Set(
    without.length > 0 ? paths.filter((path) => !without.includes(asText(path))) : paths,
  )
  if (names.size === 0) return
  const input = Buffer.from(`${[...names].join('\0')}\0`, 'latin1')
  try {
    await git.run(['update-index', '-z', ...how, '--stdin'], { ...tree.call, input })
  } catch (error) {
    const said = error instanceof GitFailure ? error.stderr : ''
    const file = /^error: \w+\("(.+)"\): Permission denied$/m.exec(said)?.[1]
    const garbled = /^fatal: (.*(?:BOM is |failed to encode |is not the same$).*)$/m.exec(said)?.[1]
    if (garbled !== undefined) throw wronglyEncoded(garbled)
    throw file === undefined ? error : new UnreadableFile(file)
  }
}
