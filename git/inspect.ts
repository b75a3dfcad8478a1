import { lstat, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { excludeFiles } from './excludes.ts'
import { smudgeFilters } from './filters.ts'
import { GitFailure, GitProblem, gone, repositoryGone } from './problem.ts'
import { realFolder, refuseForbidden } from './project-folder.ts'
import { readRegularText } from './read-regular.ts'
import { checkBranchName, readRef } from './refs.ts'
import type { GitRunner } from './run.ts'

/** More than anybody's attributes hold. */
const ATTRIBUTES_BYTES = 1_000_000

export interface RepositoryInfo {
  /** Real path of the checkout's top folder. */
  root: string
  /** Real path of the directory that all worktrees share. */
  commonDir: string
  head: { branch: string | undefined; sha: string | undefined }
  defaultBranch: string
  /** Tracked files with uncommitted changes, and untracked files that are not ignored. */
  dirtyFiles: number
  submodules: boolean
  lfs: boolean
  /** Other filters by which files are rewritten when this person checks them out. */
  filters: string[]
  shallow: boolean
}

/** Where a repository's parts are, as real paths; `gitDir` is that of this checkout. */
export interface Place {
  root: string
  commonDir: string
  gitDir: string
  /** How it names its objects: sha1 or sha256. */
  objectFormat: string
  /** Of the branch that was asked for, when it came for nothing. */
  head?: string
}

async function discover(
  git: GitRunner,
  real: string,
  given: string,
  branch?: string,
): Promise<Place> {
  const ask = (...what: string[]) => git.text(['rev-parse', ...what], { cwd: real })
  const quick = await discoverAtOnce(git, real, branch)
  if (quick) return quick
  try {
    const inside = await ask('--is-inside-work-tree')
    // one in a folder beside its worktrees, to which a `.git` file leads
    if (inside !== 'true' && (await ask('--is-bare-repository')) === 'true') throw bare(given)
    if (inside !== 'true')
      throw new GitProblem(
        'not_a_repository',
        `${given} is inside a .git folder.`,
        'Give the folder above it.',
      )
    // One question each: a path may hold a newline.
    const [root, commonDir, gitDir, objectFormat] = await Promise.all([
      ask('--show-toplevel'),
      ask('--path-format=absolute', '--git-common-dir'),
      ask('--absolute-git-dir'),
      ask('--show-object-format'),
    ])
    return {
      root: await realpath(root),
      commonDir: await realpath(commonDir),
      gitDir: await realpath(gitDir),
      objectFormat,
    }
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error
    if (/cannot use bare repository|must be run in a work tree/.test(error.stderr))
      throw bare(given)
    // a config with a mistake in it, or one that only a newer git understands
    if (!error.stderr.includes('not a git repository'))
      throw new GitProblem(
        'unreadable',
        `Git cannot open the repository in ${given}: ${error.stderr.trim().replace(/^fatal: /, '')}.`,
        'Mend that, then try again.',
      )
    throw new GitProblem(
      'not_a_repository',
      `${given} is not a git repository.`,
      'Run `git init` there and make a first commit, or give another folder.',
    )
  }
}

const bare = (given: string) =>
  new GitProblem(
    'bare_repository',
    `${given} is a bare repository.`,
    'Clone it, and add the clone, or add a worktree that it has.',
  )

/** The usual answers in one process. Undefined when there is something to explain, or a path that holds a newline. */
async function discoverAtOnce(
  git: GitRunner,
  real: string,
  branch: string | undefined,
): Promise<Place | undefined> {
  const questions = [
    ...['--path-format=absolute', '--is-inside-work-tree', '--show-toplevel'],
    ...['--git-common-dir', '--absolute-git-dir', '--show-object-format'],
    ...(branch === undefined ? [] : [`refs/heads/${branch}^{commit}`]),
  ]
  const { code, stdout } = await git.run(['rev-parse', ...questions], {
    cwd: real,
    answers: [0, 1, 128],
  })
  const lines = stdout.toString('utf8').split('\n')
  const [inside, root, commonDir, gitDir, objectFormat, head] = lines
  if (code !== 0 || inside !== 'true' || !root || !commonDir || !gitDir || !objectFormat)
    return undefined
  if (lines.length !== questions.length) return undefined
  return {
    root: await realpath(root),
    commonDir: await realpath(commonDir),
    gitDir: await realpath(gitDir),
    objectFormat,
    ...(head ? { head } : {}),
  }
}

/**
 * Git's settings about how files look on disk and whom they are open to; the only ones of a person's config, of their machine's too, that we follow.
 * So with the attributes that are the repository's own: what they name runs nothing without a config.
 */
export async function treeSettings(
  git: GitRunner,
  { gitDir, commonDir }: Pick<Place, 'gitDir' | 'commonDir'>,
): Promise<Record<string, string>> {
  const pattern =
    '^core\\.(autocrlf|eol|filemode|symlinks|ignorecase|precomposeunicode|checkstat|trustctime|sharedrepository)$'
  // a config that cannot be read stops the person's own git as well
  const call = { gitDir, asPerson: true, answers: [0, 1, 128] } as const
  const { stdout } = await git.run(['config', '-z', '--get-regexp', pattern], call)
  // the last one of a name counts: the repository's own
  const pairs = stdout
    .toString('utf8')
    .split('\0')
    .filter(Boolean)
    .map((line) => line.split('\n'))
  const followed = pairs.flatMap(([key, value]) =>
    key && value && /^[a-z0-9]+$/i.test(value) ? [[key, value]] : [],
  )
  return {
    ...Object.fromEntries(followed),
    'core.attributesFile': join(commonDir, 'info', 'attributes'),
  }
}

async function countDirty(
  git: GitRunner,
  at: { root: string; gitDir: string; commonDir: string; head: string },
  neutral: string,
): Promise<number> {
  const call = {
    gitDir: neutral,
    workTree: at.root,
    indexFile: join(at.gitDir, 'index'),
    alternates: [join(at.commonDir, 'objects')],
    settings: await treeSettings(git, at),
  }
  const quiet = [
    '--name-only',
    '-z',
    '--no-ext-diff',
    '--no-textconv',
    '--no-renames',
    '--ignore-submodules=all',
  ]
  const own = (await excludeFiles(git, at.commonDir)).map((path) => `--exclude-from=${path}`)
  const lists = await Promise.all([
    git.run(['diff', ...quiet], call),
    git.run(['diff', '--cached', ...quiet, at.head], call),
    git.run(['ls-files', '-z', '--others', '--exclude-standard', ...own], call),
  ])
  return new Set(
    lists.flatMap(({ stdout }) => stdout.toString('latin1').split('\0').filter(Boolean)),
  ).size
}

async function defaultBranchOf(
  git: GitRunner,
  gitDir: string,
  current: string | undefined,
): Promise<string> {
  const remote = await git.run(['symbolic-ref', '-q', '--short', 'refs/remotes/origin/HEAD'], {
    gitDir,
    answers: [0, 1, 128],
  })
  const named = remote.stdout
    .toString('utf8')
    .trim()
    .replace(/^origin\//, '')
  for (const name of [named, 'main', 'master']) {
    if (name !== '' && (await readRef(git, gitDir, `refs/heads/${name}`))) return name
  }
  return current ?? 'main'
}

/** Of a checkout that is at no commit: those of an orphan branch lie elsewhere. */
async function unborn(
  git: GitRunner,
  gitDir: string,
  { given, branch }: { given: string; branch: string | undefined },
): Promise<GitProblem> {
  const newest = [
    'for-each-ref',
    '--sort=-committerdate',
    '--count=1',
    '--format=%(refname:lstrip=2)',
  ]
  const other = await git.text([...newest, 'refs/heads'], { gitDir })
  if (other === '' || branch === undefined)
    return new GitProblem(
      'empty_repository',
      `${given} has no commit yet.`,
      'Make a first commit: `git add -A && git commit -m "First commit"`.',
    )
  return new GitProblem(
    'unborn_branch',
    `${branch} is checked out in ${given} and has no commit yet.`,
    `Make one, check out a branch that has some (\`git checkout ${other}\`), or name a target branch (--branch ${other}).`,
  )
}

/** The branch goals merge into: the one asked for, or the one checked out. */
function checkTarget(given: string, target: string | undefined, branch: string | undefined): void {
  if (target === undefined && branch === undefined)
    throw new GitProblem(
      'detached_head',
      `${given} has no branch checked out (detached HEAD).`,
      'Check a branch out, or name a target branch (--branch NAME).',
    )
}

async function requireTarget(git: GitRunner, gitDir: string, target: string): Promise<void> {
  checkBranchName(target)
  if (await readRef(git, gitDir, `refs/heads/${target}`)) return
  const elsewhere =
    (await readRef(git, gitDir, `refs/remotes/${target}`)) ??
    (await readRef(git, gitDir, `refs/remotes/origin/${target}`))
  const tag = await readRef(git, gitDir, `refs/tags/${target}`)
  const kind = elsewhere
    ? 'is only a remote branch'
    : tag
      ? 'is a tag, not a branch'
      : 'does not exist'
  throw new GitProblem(
    'target_missing',
    `The target branch ${target} ${kind}.`,
    `Create it: \`git branch ${target}${elsewhere ? ` origin/${target.replace(/^origin\//, '')}` : ''}\`.`,
  )
}

/**
 * Looks at a person's repository without running anything of it: git plumbing under our own config (facts T16).
 * `neutral` is an empty bare repository of ours. Throws `GitProblem` with what to do.
 */
export async function inspectRepository(
  deps: { git: GitRunner; home: string; neutral: (objectFormat: string) => Promise<string> },
  path: string,
  options: { target?: string } = {},
): Promise<RepositoryInfo> {
  const { git, home } = deps
  const real = await realFolder(path, home)
  const { root, commonDir, gitDir, objectFormat } = await discover(git, real, path)
  refuseForbidden(root, home)
  const branch = await git.run(['symbolic-ref', '-q', 'HEAD'], { gitDir, answers: [0, 1] })
  const name =
    branch.code === 0
      ? branch.stdout
          .toString('utf8')
          .trim()
          .replace(/^refs\/heads\//, '')
      : undefined
  const sha = await readRef(git, gitDir, 'HEAD')
  if (options.target !== undefined) await requireTarget(git, gitDir, options.target)
  else if (sha === undefined) throw await unborn(git, gitDir, { given: path, branch: name })
  checkTarget(path, options.target, name)
  const seen = sha ?? (await readRef(git, gitDir, `refs/heads/${options.target}`))
  if (seen === undefined) throw await unborn(git, gitDir, { given: path, branch: name })
  const exists = (file: string) =>
    lstat(file).then(
      () => true,
      () => false,
    )
  return {
    root,
    commonDir,
    head: { branch: name, sha },
    defaultBranch: await defaultBranchOf(git, gitDir, name),
    dirtyFiles:
      sha === undefined
        ? 0
        : await countDirty(
            git,
            { root, gitDir, commonDir, head: sha },
            await deps.neutral(objectFormat),
          ),
    submodules: await git.succeeds(['cat-file', '-e', `${seen}:.gitmodules`], { gitDir }),
    ...(await filtersIn(git, { gitDir, commonDir }, seen)),
    shallow: await exists(join(commonDir, 'shallow')),
  }
}

/**
 * Whether a goal can be merged into `target` of a repository that was inspected before. Takes a few git processes, however
 * many files there are. Throws `GitProblem` as `inspectRepository` does.
 */
export async function checkMergeTarget(
  deps: { git: GitRunner; home: string },
  path: string,
  target: string,
): Promise<void> {
  checkBranchName(target)
  await realFolder(path, deps.home)
  const { gitDir, head } = await locateProject(deps.git, path, target)
  if (head === undefined) await requireTarget(deps.git, gitDir, target)
}

async function filtersIn(
  git: GitRunner,
  { gitDir, commonDir }: { gitDir: string; commonDir: string },
  sha: string,
): Promise<Pick<RepositoryInfo, 'lfs' | 'filters'>> {
  const own = await readRegularText(join(commonDir, 'info', 'attributes'), ATTRIBUTES_BYTES)
  const { code, stdout } = await git.run(['cat-file', 'blob', `${sha}:.gitattributes`], {
    gitDir,
    answers: [0, 128],
  })
  const attributes = `${own ?? ''}\n${code === 0 ? stdout.toString('utf8') : ''}`
  const named = new Set([...attributes.matchAll(/\bfilter=(\S+)/g)].map(([, name]) => name))
  const filters = named.size === 0 ? [] : await smudgeFilters(git, commonDir)
  return {
    lfs: named.has('lfs'),
    filters: filters.filter((name) => name !== 'lfs' && named.has(name)),
  }
}

/**
 * The repository's own directories, for the operations that touch refs there; with the head of `branch`, a checked name,
 * when that came for nothing. Throws as `inspectRepository` does.
 */
export async function locate(git: GitRunner, repoPath: string, branch?: string): Promise<Place> {
  const real = await realpath(repoPath).catch(() => {
    throw gone(repoPath)
  })
  return discover(git, real, repoPath, branch)
}

/**
 * The same of a project, which was added as the root of its repository. Where that is gone git finds one around it, which nobody added or
 * trusts: throws `not_a_repository`.
 */
export async function locateProject(
  git: GitRunner,
  repoPath: string,
  branch?: string,
): Promise<Place> {
  const place = await locate(git, repoPath, branch).catch((error) => {
    if (error instanceof GitProblem && error.code === 'not_a_repository')
      throw repositoryGone(repoPath)
    throw error
  })
  if (place.root !== (await realpath(repoPath))) throw repositoryGone(repoPath)
  return place
}
