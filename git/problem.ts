/** Why a git operation cannot go on. Closed: each has a sentence that says what to do. */
export const GIT_PROBLEM_CODES = [
  'bad_path',
  'not_found',
  'not_a_directory',
  'not_a_repository',
  'other_format',
  'bare_repository',
  'dubious_ownership',
  'empty_repository',
  'detached_head',
  'target_missing',
  'bad_ref',
  'ref_conflict',
  'forbidden_path',
  'incomplete_repository',
  'index_locked',
  'disk_full',
  'branch_checked_out_elsewhere',
  'branch_not_ours',
  'git_missing',
  'git_stuck',
  'commit_missing',
  'unsafe_commit',
  'workspace_lost',
  'hub_gone',
  'unreadable',
  'not_saved',
  'not_writable',
  'unborn_branch',
] as const
export type GitProblemCode = (typeof GIT_PROBLEM_CODES)[number]

/** An expected failure a person can do something about; everything else is a `GitFailure`, a bug or a broken disk. */
export class GitProblem extends Error {
  readonly code: GitProblemCode
  /** What the person can do, one sentence. */
  readonly advice: string
  constructor(code: GitProblemCode, message: string, advice: string) {
    // a path may hold a newline, and what is told of it is a line
    super(`${message} ${advice}`.replace(/[\r\n]+/g, ' '))
    this.name = 'GitProblem'
    this.code = code
    this.advice = advice
  }
}

/** Of a folder that was there before. */
export const gone = (path: string) =>
  new GitProblem(
    'not_found',
    `${path} does not exist any more.`,
    'Put the repository back where it was.',
  )

/** Of a folder that held a project's repository: its `.git` was removed, or the disk is not there that was mounted at it. */
export const repositoryGone = (path: string) =>
  new GitProblem(
    'not_a_repository',
    `${path} is not a git repository any more.`,
    'Put the repository back where it was, or mount the disk that it is on.',
  )

/** Of a branch that Dispatch made before its own copy of the repository was deleted. */
export const branchGone = (branch: string) =>
  new GitProblem(
    'hub_gone',
    `${branch} is not in Dispatch's own copy of the repository: that was made anew since, and what the goal had not merged is gone with the old one.`,
    'File the goal again: dispatch goal "<text>".',
  )

const CLOSED = [
  /unable to (?:create|write|append)\b[^\n]*?'?(\/[^'\n]+?)'?: (?:Permission denied|Read-only file system)/i,
  // of these git does not say why
  /unable to create directory for (\/[^\n]+)/i,
  /insufficient permission for adding an object to repository database ([^\n]+)/,
]

/** Of what git said: that a part of a repository is closed to whoever runs it. Undefined where that is not it. */
export function notWritable(said: string): GitProblem | undefined {
  const path = CLOSED.map((pattern) => pattern.exec(said)?.[1]).find(Boolean)
  if (path === undefined) return undefined
  return new GitProblem(
    'not_writable',
    // a file that git makes for the time being has no name to look for
    `Git may not write ${path.replace(/\/tmp_[^/]*$/, '')}.`,
    'Make it and its folder writable for the user that Dispatch runs as (chown or chmod; git with sudo leaves files of root), then try again; nothing was lost.',
  )
}

/** git itself failed in a way we did not expect. */
export class GitFailure extends Error {
  readonly exitCode: number | null
  readonly stderr: string
  constructor(args: readonly string[], exitCode: number | null, stderr: string) {
    super(`git ${args.slice(0, 3).join(' ')} failed (${exitCode}): ${stderr.trim().slice(0, 2000)}`)
    this.name = 'GitFailure'
    this.exitCode = exitCode
    this.stderr = stderr
  }
}

/** Whether git could not do it: what works on files or a database beside git can go on. */
export const isGitsFault = (error: unknown): error is GitProblem | GitFailure =>
  error instanceof GitProblem || error instanceof GitFailure
