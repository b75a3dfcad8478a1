import { createHash, randomUUID } from 'node:crypto'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where everything of one DISPATCH_HOME lies. Paths only: nothing is created here. */
export interface HomePaths {
  root: string
  /** Embedded Postgres: `data/`, `password`, and the socket directory unless its path would be too long. */
  postgres: string
  temporal: string
  runs: string
  hubs: string
  worktrees: string
  artifacts: string
  logs: string
  agents: string
  configFile: string
  serverFile: string
  lockFile: string
  /** Room that is given up when the disk is full. */
  ballastFile: string
}

export function defaultHome(): string {
  return join(homedir(), '.dispatch')
}

/**
 * Paths below `home`, an absolute or relative folder, `~` allowed. Whichever way it is named, as by a symbolic link, the paths are the
 * same: by them what was left running on it is found again.
 */
export function homePaths(home: string): HomePaths {
  const root = realPath(resolve(home.replace(/^~(?=$|\/)/, homedir())))
  return {
    root,
    postgres: join(root, 'pg'),
    temporal: join(root, 'temporal'),
    runs: join(root, 'runs'),
    hubs: join(root, 'hubs'),
    worktrees: join(root, 'worktrees'),
    artifacts: join(root, 'artifacts'),
    logs: join(root, 'logs'),
    agents: join(root, 'agents'),
    configFile: join(root, 'config.toml'),
    serverFile: join(root, 'server.json'),
    lockFile: join(root, 'lock'),
    ballastFile: join(root, 'ballast'),
  }
}

/** Without links; what does not exist, or cannot be looked at, is taken as it is named. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path === dirname(path) ? path : join(realPath(dirname(path)), basename(path))
  }
}

/** The home cannot be one; the message says why, and what to do. Exit code 78. */
export class HomeUnusable extends Error {
  readonly exitCode = 78
  constructor(root: string, why: string) {
    super(
      `The home ${root} cannot be used: ${why}.\nName another one with --home or DISPATCH_HOME.`,
    )
  }
}

/** What log files, lists of paths and the addresses of databases cannot hold in a path. */
const SPECIAL = /[\p{Cc}<>"|?*:#]|%[\da-f]{2}/iu

/** Postgres breaks down over a longer path of its data. */
const MAX_PATH_BYTES = 900

/**
 * Throws HomeUnusable where something that is no folder, or that cannot be looked at, is in the home's place, or where programs that
 * are given its path would misread it.
 */
export function requireFolder(root: string): void {
  const special = SPECIAL.exec(root)?.[0]
  if (special !== undefined)
    throw new HomeUnusable(root, `its path has a ${JSON.stringify(special)} in it`)
  if (Buffer.byteLength(root) > MAX_PATH_BYTES)
    throw new HomeUnusable(root, `its path is longer than ${MAX_PATH_BYTES} bytes`)
  let folder: boolean
  try {
    folder = statSync(root).isDirectory()
  } catch (error) {
    // it is made by a start. Not by `throwIfNoEntry`: what that says of a path through a file differs between versions of Node
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw new HomeUnusable(root, (error as Error).message)
  }
  if (!folder) throw new HomeUnusable(root, 'it is not a folder')
}

/** What tells a home: `hubs`, which is made before anything else in it, and what a person may put there before the first start. */
const MARKS = ['hubs', 'config.toml', 'prompts']

/** Throws HomeUnusable where a folder holds something and no mark of Dispatch: its `lock` or `server.json` would be somebody else's. */
export function requireOwn({ root }: HomePaths): void {
  const names = namesIn(root).filter((name) => name !== 'lost+found') // a disk of its own has that
  if (names.length === 0 || MARKS.some((mark) => names.includes(mark))) return
  const [first, ...others] = names
  const more = others.length > 0 ? ` and ${others.length} more` : ''
  throw new HomeUnusable(
    root,
    `it holds ${first}${more} and nothing of Dispatch, whose home is a folder of its own`,
  )
}

/**
 * Throws HomeUnusable where another user's starts have made the home, which root can write to: what it makes there they could not read any more,
 * and Postgres serves no files of another user.
 */
export function requireOwner({ root, hubs }: HomePaths): void {
  const uid = statSync(hubs, { throwIfNoEntry: false })?.uid
  if (uid === undefined || uid === process.getuid?.()) return
  throw new HomeUnusable(root, `it is that of another user (uid ${uid}): start it as that user`)
}

function namesIn(root: string): string[] {
  try {
    return readdirSync(root).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new HomeUnusable(root, (error as Error).message)
  }
}

/** Creates the folders of the home, readable by their owner only. Throws HomeUnusable. */
export function createHome(home: string): HomePaths {
  const paths = homePaths(home)
  const { root, temporal, runs, hubs, worktrees, artifacts, logs, agents } = paths
  try {
    for (const dir of [root, hubs, temporal, runs, worktrees, artifacts, logs, agents])
      makeFolder(dir)
  } catch (error) {
    throw new HomeUnusable(root, (error as Error).message)
  }
  return paths
}

/** Tells a home from all others, wherever it is moved to, or mounted by several machines. Drawn once. */
export function homeId({ root }: HomePaths): string {
  const file = join(root, 'id')
  const drawn = randomUUID()
  const fresh = `${file}.${drawn}`
  if (!existsSync(file)) {
    // linked, so that whoever else finds it finds its content
    writeFileSync(fresh, drawn, { mode: 0o600 })
    try {
      linkSync(fresh, file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    } finally {
      rmSync(fresh)
    }
  }
  return readFileSync(file, 'utf8')
}

/** Creates it and what it is in. Not by `recursive`, which tries for ever where there is a folder that takes none, such as /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // another start may have made it just now
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Whether a socket of Postgres can be there: its path is short enough, and has nothing in it by which Postgres would read several. */
export const takesSocket = (dir: string): boolean =>
  Buffer.byteLength(dir) <= 80 && !/[",]/.test(dir)

/** Downloads that any home of this user can share, so that a new home does not fetch them again. */
export function sharedCache(xdgCacheHome?: string): string {
  return join(xdgCacheHome || join(homedir(), '.cache'), 'dispatch')
}

/**
 * A short folder for Unix sockets: their paths are limited to about 100 bytes, homes are not. The person's folder for temporary files may
 * be as long, or not be there.
 */
export function shortSocketDir(home: string): string {
  const id = createHash('sha256').update(home).digest('hex').slice(0, 12)
  const name = `dispatch-${userInfo().uid}-${id}`
  const path = join(tmpdir(), name)
  return takesSocket(path) && existsSync(tmpdir()) ? path : join('/tmp', name)
}

/** The folder of the installed package, from the sources and from `dist/` alike. */
export function packageRoot(): string {
  let dir = dirname(fileURLToPath(import.meta.url))
  while (!isOurPackage(join(dir, 'package.json'))) {
    const parent = dirname(dir)
    if (parent === dir)
      throw new Error('Dispatch cannot find its own package.json; install it again')
    dir = parent
  }
  return dir
}

export const distDir = () => join(packageRoot(), 'dist')

export function packageVersion(): string {
  return JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')).version
}

function isOurPackage(file: string): boolean {
  return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).name === 'dispatch-agents'
}
