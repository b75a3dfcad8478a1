import { spawn } from 'node:child_process'
import {
  access,
  constants,
  cp,
  lstat,
  readdir,
  readlink,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { readRegular } from './read-regular.ts'

/**
 * Folders that are worth copying from the person's checkout, and the lockfiles that must be equal for that.
 * Python's .venv is not among them: its scripts name their own place, so `pip` in a copy would change the original.
 */
const DEPENDENCY_FOLDERS: readonly { folder: string; lockfiles: readonly string[] }[] = [
  {
    folder: 'node_modules',
    lockfiles: [
      'package-lock.json',
      'npm-shrinkwrap.json',
      'pnpm-lock.yaml',
      'yarn.lock',
      'bun.lock',
      'bun.lockb',
    ],
  },
  { folder: 'vendor', lockfiles: ['composer.lock', 'Gemfile.lock'] },
]

/** What is installed is no work, wherever it is in the worktree. */
export const isDependency = (path: string) =>
  DEPENDENCY_FOLDERS.some(({ folder }) => path.split('/').slice(0, -1).includes(folder))

/** More than the largest lockfile. */
const LOCKFILE_BYTES = 50_000_000

/**
 * Copies dependency folders into a worktree, by reflink where the filesystem can: never a link, since what is installed
 * through a link changes the person's own checkout (facts R11). Absent folders or different lockfiles are skipped.
 * Returns the folders copied.
 */
export async function provisionDependencies(input: {
  repoPath: string
  worktreePath: string
}): Promise<string[]> {
  const copied: string[] = []
  for (const { folder, lockfiles } of DEPENDENCY_FOLDERS) {
    const from = join(input.repoPath, folder)
    const to = join(input.worktreePath, folder)
    if (!(await isRealFolder(from)) || (await lstat(to).catch(() => undefined))) continue
    if (!(await sameLockfile(input, lockfiles))) continue
    const partial = `${to}.dispatch-partial`
    await rm(partial, { recursive: true, force: true })
    await copyFolder(from, partial)
    await removeLinksOut(partial, partial, to, input.worktreePath)
    // The person's, not the agent's work: no commit takes it in, whether or not anything else says that it is ignored.
    await rm(join(partial, '.gitignore'), { recursive: true, force: true })
    await writeFile(join(partial, '.gitignore'), '*\n')
    await rename(partial, to)
    copied.push(folder)
  }
  return copied
}

const isRealFolder = (path: string) =>
  lstat(path).then(
    (info) => info.isDirectory(),
    () => false,
  )

/** At least one lockfile is there, and every one that either side has is the same on both. */
async function sameLockfile(
  at: { repoPath: string; worktreePath: string },
  names: readonly string[],
): Promise<boolean> {
  const read = (folder: string, name: string) => readRegular(join(folder, name), LOCKFILE_BYTES)
  let found = false
  for (const name of names) {
    const [theirs, ours] = await Promise.all([read(at.repoPath, name), read(at.worktreePath, name)])
    if (!theirs && !ours) continue
    if (!theirs || !ours || !theirs.equals(ours)) return false
    found = true
  }
  return found
}

async function copyFolder(from: string, to: string): Promise<void> {
  const reflink =
    process.platform === 'linux' ? await runCp(['-a', '--reflink=auto', '--', from, to]) : false
  if (reflink) return
  await rm(to, { recursive: true, force: true })
  await cp(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    mode: constants.COPYFILE_FICLONE,
    preserveTimestamps: true,
    filter: canBeCopied,
  })
}

/** What a container's root left among the dependencies, such as a cache, is no reason to be without the rest. */
async function canBeCopied(path: string): Promise<boolean> {
  const info = await lstat(path)
  if (info.isSymbolicLink()) return true
  const wanted = info.isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK
  return (info.isFile() || info.isDirectory()) && isAllowed(path, wanted)
}

const isAllowed = (path: string, mode: number) =>
  access(path, mode).then(
    () => true,
    () => false,
  )

function runCp(args: readonly string[]): Promise<boolean> {
  return new Promise((done) => {
    const child = spawn('cp', args, { stdio: 'ignore' })
    child.on('error', () => done(false))
    child.on('close', (code) => done(code === 0))
  })
}

/** Links that lead out of the worktree would let an install there change the person's files; they go. */
async function removeLinksOut(
  folder: string,
  root: string,
  finalRoot: string,
  worktree: string,
): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await removeLinksOut(path, root, finalRoot, worktree)
    if (!entry.isSymbolicLink()) continue
    const place = join(finalRoot, path.slice(root.length))
    const target = resolve(dirname(place), await readlink(path))
    if (target !== worktree && !target.startsWith(worktree + sep)) await rm(path)
  }
}
