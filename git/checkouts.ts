import { lstat, readdir, readFile, realpath } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { someOf } from '../contracts/some-of.ts'
import type { GitDeps } from './hubs.ts'
import { inTheWay } from './in-the-way.ts'
import { type Place, treeSettings } from './inspect.ts'
import type { ProjectLayout } from './layout.ts'
import { GitFailure, GitProblem } from './problem.ts'
import { putBack } from './put-back.ts'
import { readRef, symbolicRef } from './refs.ts'
import type { GitCall, GitRunner } from './run.ts'
import { takeUp } from './take-up.ts'
import { asText, lines } from './tree.ts'

/** A working tree of the person's repository that has the target branch checked out, or is rebasing it. */
export interface Checkout {
  path: string
  gitDir: string
  commonDir: string
  /** The branch of a checkout that is not at `path`, and nobody knows where it is. */
  lost?: string
}

export type BlockedCode =
  | 'dirty_files'
  | 'index_locked'
  | 'target_missing'
  | 'checked_out_elsewhere'
  | 'in_progress_operation'
  | 'target_busy'
  | 'unsupported_checkout'
  | 'not_written'
export interface Blocked {
  outcome: 'blocked'
  code: BlockedCode
  /** What is in the way and what to do. */
  message: string
  files?: string[]
}

interface Move {
  checkout: Checkout
  from: string
  to: string
  /** It may have been done in part by a git that was killed. */
  begun?: boolean
}

const LOCK_WAIT_MS = 2_000
const REBASES = ['rebase-merge', 'rebase-apply']
const UNFINISHED: readonly (readonly [string, string])[] = [
  ['MERGE_HEAD', 'merge'],
  ['CHERRY_PICK_HEAD', 'cherry-pick'],
  ['REVERT_HEAD', 'revert'],
  // both keep what they have left there
  ['rebase-apply/applying', 'am'],
  ...REBASES.map((folder) => [folder, 'rebase'] as const),
]

const exists = (path: string) =>
  lstat(path).then(
    () => true,
    () => false,
  )

const textOf = (path: string) => readFile(path, 'utf8').catch(() => undefined)

/**
 * Every working tree of the repository whose HEAD is the branch `ref`, or will be when its rebase ends; with `commit`, also those that stand on
 * it. Git's own list of them names no git folder, and where a checkout was, so only the git folders are believed; where `at` is we know.
 */
export async function checkoutsOf(
  { git }: GitDeps,
  at: Pick<Place, 'root' | 'gitDir' | 'commonDir'>,
  { ref, commit }: { ref: string; commit?: string },
): Promise<Checkout[]> {
  const { commonDir } = at
  const linked = await readdir(join(commonDir, 'worktrees')).catch(() => [])
  const gitDirs = [commonDir, ...linked.map((name) => join(commonDir, 'worktrees', name))]
  const found = await Promise.all(
    gitDirs.map(async (gitDir) => {
      const isAt = commit !== undefined && (await readRef(git, gitDir, 'HEAD')) === commit
      if (!isAt && !(await holds(git, gitDir, ref))) return undefined
      if (gitDir === at.gitDir) return { path: at.root, gitDir, commonDir }
      const usual = gitDir === commonDir ? dirname(commonDir) : await linkedRoot(gitDir)
      const path = (await exists(usual)) ? await rootOf(git, gitDir, usual) : usual
      if (path === undefined) return undefined
      const lost = (await gitDirAt(path)) === gitDir ? {} : { lost: ref }
      return { path, gitDir, commonDir, ...lost }
    }),
  )
  return found.filter((checkout) => checkout !== undefined)
}

/** While a rebase is under way HEAD names no branch; its end sets the branch, and its abort sets it back. */
async function holds(git: GitRunner, gitDir: string, ref: string): Promise<boolean> {
  const heads = await Promise.all([
    symbolicRef(git, gitDir, 'HEAD'),
    ...REBASES.map(async (folder) => (await textOf(join(gitDir, folder, 'head-name')))?.trim()),
  ])
  return heads.includes(ref)
}

/** Where a checkout should be, which its config may say (`core.worktree`); undefined for a bare repository, which has none. */
async function rootOf(git: GitRunner, gitDir: string, cwd: string): Promise<string | undefined> {
  const call = { gitDir, cwd, answers: [0, 128] }
  const { code, stdout } = await git.run(['rev-parse', '--show-toplevel'], call)
  return code === 0 ? stdout.toString('utf8').replace(/\n$/, '') : undefined
}

/** Where a linked checkout was when git last looked. */
async function linkedRoot(gitDir: string): Promise<string> {
  const pointer = (await textOf(join(gitDir, 'gitdir')))?.replace(/[\r\n]+$/, '')
  return pointer ? dirname(resolve(gitDir, pointer)) : gitDir
}

/** The git folder of a checkout, which its `.git` is or names; undefined where there is none. */
async function gitDirAt(path: string): Promise<string | undefined> {
  const dotGit = join(path, '.git')
  const named = /^gitdir: ([\s\S]*?)[\r\n]*$/.exec((await textOf(dotGit)) ?? '')?.[1]
  return realpath(named ? resolve(path, named) : dotGit).catch(() => undefined)
}

/** Reads and writes the person's files under our own config: their filters and hooks do not exist for this call. */
async function treeCall(
  deps: GitDeps,
  layout: ProjectLayout,
  checkout: Checkout,
): Promise<GitCall> {
  return {
    gitDir: layout.clean,
    workTree: checkout.path,
    indexFile: join(checkout.gitDir, 'index'),
    alternates: [join(checkout.commonDir, 'objects')],
    settings: await treeSettings(deps.git, checkout),
  }
}

async function waitForIndex(checkout: Checkout): Promise<boolean> {
  const lock = join(checkout.gitDir, 'index.lock')
  const until = performance.now() + LOCK_WAIT_MS
  while (await exists(lock)) {
    if (performance.now() > until) return false
    await delay(50)
  }
  return true
}

function lockedBy(checkout: Checkout): Blocked {
  return {
    outcome: 'blocked',
    code: 'index_locked',
    message: `Another git process holds ${join(checkout.gitDir, 'index.lock')}. Let it finish; if none is running, delete that file, then retry the merge.`,
  }
}

async function notReady(checkout: Checkout): Promise<Blocked | undefined> {
  const hindered = lostCheckout(checkout) ?? (await unfinished(checkout))
  return hindered ?? ((await waitForIndex(checkout)) ? undefined : lockedBy(checkout))
}

/** A checkout that cannot be found cannot follow, and what its person commits there next would undo the merge. */
export function lostCheckout({ path, gitDir, commonDir, lost }: Checkout): Blocked | undefined {
  if (lost === undefined) return undefined
  const branch = lost.replace('refs/heads/', '')
  const message =
    gitDir === commonDir
      ? `${branch} is checked out from ${gitDir} in a folder that Dispatch cannot find. Check out another branch there, or name the folder (\`git --git-dir=${gitDir} config core.worktree FOLDER\`), then retry the merge.`
      : `${branch} is checked out in ${path}, which is not there any more. If you moved it, run \`git worktree repair\` where it is now; if it is gone, run \`git worktree prune\`; then retry the merge.`
  return { outcome: 'blocked', code: 'unsupported_checkout', message }
}

/** M6: would the merge change a file the person is editing? Nothing is written. */
export async function dryRun(
  deps: GitDeps,
  layout: ProjectLayout,
  input: Move,
): Promise<Blocked | undefined> {
  const { checkout, from, to } = input
  const busy = await notReady(checkout)
  if (busy) return busy
  const unusual = await unsupported(deps, checkout)
  if (unusual) return unusual
  const asked = await moveFiles(deps, layout, { checkout, from, to, dryRun: true })
  return Array.isArray(asked) ? undefined : asked
}

/** Gives the files that git could not delete: it goes on without, where a folder is closed. */
async function moveFiles(
  deps: GitDeps,
  layout: ProjectLayout,
  { checkout, ...input }: Move & { dryRun?: true },
): Promise<Blocked | string[]> {
  const { git, log } = deps
  const call = await treeCall(deps, layout, checkout)
  const { path } = checkout
  const whole = { path, from: input.from, to: input.to }
  const from = input.begun ? await takeUp(git, call, { layout, ...whole }) : input.from
  const move = { ...whole, from }
  const unknown = await inTheWay(git, call, move)
  if (unknown.length > 0) return dirtyFiles(unknown)
  // again right before it is done: whatever stops it then, it began with files that are as git knows them
  const asked = await refusal(git, call, move)
  if (!asked.done)
    return (
      unresolved(path, asked.said) ??
      (await withUnseen(git, call, dirty(asked.said))) ??
      notWritten(path, asked.said)
    )
  if (input.dryRun) return []
  const { done, said } = await readTree(git, call, [], move).catch((error) => {
    if (error instanceof GitProblem && error.code === 'disk_full')
      return { done: false, said: 'the disk is full' }
    throw error
  })
  if (done) return [...said.matchAll(NOT_DELETED)].map(([, file = '']) => file)
  // git looks at all files before it writes the first
  const late = dirty(said)
  if (late) return late
  const left = await putBack(git, call, move).then(
    () => false,
    (error) => {
      log('files of a merge could not be put back', { path, error: String(error) })
      return true
    },
  )
  return notWritten(path, said, left)
}

const NOT_DELETED = /^warning: unable to unlink '(.+)': /gm

/** Why files cannot be moved. Git looks at no content here, so those that were only touched or copied are looked at before they count as edited. */
async function refusal(
  git: GitRunner,
  call: GitCall,
  move: { from: string; to: string },
): Promise<{ done: boolean; said: string }> {
  const asked = await readTree(git, call, ['-n'], move)
  if (asked.done || !asked.said.includes('not uptodate')) return asked
  await git.run(['update-index', '-q', '--refresh'], { ...call, answers: [0, 1] })
  return readTree(git, call, ['-n'], move)
}

/** Whether it could be done, and what git says. */
async function readTree(
  git: GitRunner,
  call: GitCall,
  how: readonly string[],
  { from, to }: { from: string; to: string },
): Promise<{ done: boolean; said: string }> {
  const { code, stderr } = await git.run(['read-tree', ...how, '-m', '-u', from, to], {
    ...call,
    answers: [0, 1, 128],
  })
  return { done: code === 0, said: stderr }
}

/** The disk is full, or a folder is closed to the person themselves, as one that a container made. */
function notWritten(path: string, said: string, left = false): Blocked {
  const lines = said.split('\n').map((line) => line.replace(/^\w+: /, ''))
  const rest = left
    ? ' Not all could be put back as they were: `git status` names those, and `git checkout -- FILE` brings one back.'
    : ''
  const message = `The files of the merge could not be written in ${path}: ${someOf(lines.filter(Boolean))}.${rest} Mend that, then retry the merge.`
  return { outcome: 'blocked', code: 'not_written', message }
}

async function unfinished({ gitDir, path }: Checkout): Promise<Blocked | undefined> {
  for (const [file, what] of UNFINISHED) {
    if (!(await exists(join(gitDir, file)))) continue
    const message = `${what === 'am' ? 'An' : 'A'} ${what} is in progress in ${path}. Finish it or abort it (\`git ${what} --abort\`), then retry the merge.`
    return { outcome: 'blocked', code: 'in_progress_operation', message }
  }
  return undefined
}

async function unsupported(
  deps: GitDeps,
  { gitDir, path }: Checkout,
): Promise<Blocked | undefined> {
  const { stdout } = await deps.git.run(
    ['config', '--type=bool', '--default=false', '--get', 'core.sparseCheckout'],
    { gitDir, answers: [0, 128] },
  )
  if (stdout.toString('utf8').trim() !== 'true') return undefined
  const message = `${path} is a sparse checkout, which Dispatch does not update. Check out another branch there, then retry the merge.`
  return { outcome: 'blocked', code: 'unsupported_checkout', message }
}

/** A lock that appears while we work blocks like one that was there before; so does an index that a machine going down left broken. */
export async function blockedByIndex<T>(work: () => Promise<T>): Promise<T | Blocked> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof GitProblem && error.code === 'index_locked')
      return { outcome: 'blocked', code: 'index_locked', message: error.message }
    const said =
      error instanceof GitFailure && /^.*index file (?:corrupt|smaller).*$/m.exec(error.stderr)
    if (!said) throw error
    const message = `Git cannot read the index of your checkout (${said[0].replace('fatal: ', '')}). Delete that file and run \`git reset\` there: your files stay as they are. Then retry the merge.`
    return { outcome: 'blocked', code: 'unsupported_checkout', message }
  }
}

/** As a stash that was popped leaves them. */
function unresolved(path: string, said: string): Blocked | undefined {
  if (!said.includes('resolve your current index first')) return undefined
  const message = `There are conflicts in ${path} that are not resolved (\`git status\` names them). Resolve them and \`git add\` the files, then retry the merge.`
  return { outcome: 'blocked', code: 'in_progress_operation', message }
}

/** Undefined where git names no file. */
function dirty(stderr: string): Blocked | undefined {
  const patterns = [
    /Entry '(.+?)' (?:not uptodate|would be overwritten|overlaps)/g,
    /Untracked working tree file '(.+?)' would be/g,
    /Updating '(.+?)' would lose untracked files/g,
  ]
  const listed = [...stderr.matchAll(/^\t(.+)$/gm)].map((match) => match[1] ?? '')
  const files = [
    ...new Set([
      ...patterns.flatMap((p) => [...stderr.matchAll(p)].map((match) => match[1] ?? '')),
      ...listed,
    ]),
  ].filter(Boolean)
  return files.length > 0 ? dirtyFiles(files) : undefined
}

/** Of edits that git was told not to look at, `git status` and `git stash` know nothing. */
async function withUnseen(
  git: GitRunner,
  call: GitCall,
  blocked: Blocked | undefined,
): Promise<Blocked | undefined> {
  if (!blocked) return undefined
  const listed = lines((await git.run(['ls-files', '-z', '-v'], call)).stdout)
  const marked = listed.filter((entry) => /^[a-zS] /.test(entry)).map((entry) => entry.slice(2))
  const unseen = marked.map(asText).filter((name) => blocked.files?.includes(name))
  if (unseen.length === 0) return blocked
  const how = '`git update-index --no-skip-worktree FILE` and `--no-assume-unchanged FILE` end that'
  return {
    ...blocked,
    message: `${blocked.message} Git was told not to look at ${someOf(unseen)} there: ${how}.`,
  }
}

function dirtyFiles(files: string[]): Blocked {
  return {
    outcome: 'blocked',
    code: 'dirty_files',
    message: `Your checkout has uncommitted work that the merge would overwrite: ${someOf(files)}. Commit, stash or move it, then retry the merge.`,
    files,
  }
}

/**
 * M8: brings index and files from the old to the new commit; edits elsewhere stay, and a second time changes nothing. Gives the files
 * that should be gone and could not be deleted.
 */
export async function updateCheckout(
  deps: GitDeps,
  layout: ProjectLayout,
  input: Move,
): Promise<Blocked | string[]> {
  return (await notReady(input.checkout)) ?? moveFiles(deps, layout, input)
}
