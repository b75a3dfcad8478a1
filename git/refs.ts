import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { GitFailure, GitProblem, notWritable } from './problem.ts'
import type { GitRunner } from './run.ts'

const MAX_NAME = 200
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be found
const FORBIDDEN = /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(\/|$)|^[-./]|[./]$/

/** A branch name as git takes it, stricter in that it never looks like an option, a revision or a full ref. */
export function validateBranchName(name: string): GitProblem | undefined {
  const advice = 'Use letters, digits, dashes and single slashes, such as main or release/2.'
  if (name === '') return new GitProblem('bad_ref', 'The branch name is empty.', advice)
  if (Buffer.byteLength(name) > MAX_NAME)
    return new GitProblem('bad_ref', `The branch name is longer than ${MAX_NAME} bytes.`, advice)
  if (
    FORBIDDEN.test(name) ||
    name === '@' ||
    name === 'HEAD' ||
    /^refs\//.test(name) ||
    /(^|\/)-/.test(name)
  )
    return new GitProblem('bad_ref', `${JSON.stringify(name)} is not a branch name.`, advice)
  return undefined
}

/** Throws `bad_ref` for what `validateBranchName` refuses. */
export function checkBranchName(name: string): void {
  const problem = validateBranchName(name)
  if (problem) throw problem
}

/** Shas come from our own rows; anything else is a bug upstream and must not become an option. */
export function checkSha(sha: string): void {
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(sha))
    throw new GitProblem(
      'bad_ref',
      `${JSON.stringify(sha.slice(0, 80))} is not a commit id.`,
      'Use the full id of a commit.',
    )
}

/** The commit a full ref points to, or undefined. */
export async function readRef(
  git: GitRunner,
  gitDir: string,
  ref: string,
): Promise<string | undefined> {
  return (await git.look(gitDir, `${ref}^{commit}`))?.sha
}

/** The ref that a symbolic one, HEAD say, stands for in the end; undefined when it is not symbolic. */
export async function symbolicRef(
  git: GitRunner,
  gitDir: string,
  name: string,
): Promise<string | undefined> {
  const call = { gitDir, answers: [0, 1, 128] }
  const { code, stdout } = await git.run(['symbolic-ref', '-q', name], call)
  return code === 0 ? stdout.toString('utf8').replace(/\n$/, '') : undefined
}

export async function hasCommit(git: GitRunner, gitDir: string, sha: string): Promise<boolean> {
  checkSha(sha)
  return (await git.look(gitDir, `${sha}^{commit}`)) !== undefined
}

/** The tree of a commit, or undefined when the commit is not there. */
export async function treeOf(
  git: GitRunner,
  gitDir: string,
  sha: string,
): Promise<string | undefined> {
  checkSha(sha)
  return (await git.look(gitDir, `${sha}^{tree}`))?.sha
}

/** A file of a commit as text; undefined where the commit has none of that name. `path`: ours only. */
export async function fileAt(
  git: GitRunner,
  gitDir: string,
  { commit, path }: { commit: string; path: string },
): Promise<string | undefined> {
  checkSha(commit)
  const call = { gitDir, answers: [0, 128] }
  const { code, stdout } = await git.run(['cat-file', 'blob', `${commit}:${path}`], call)
  return code === 0 ? stdout.toString('utf8') : undefined
}

/** The files in which two commits or trees of a hub differ, as text. */
export async function changedFiles(
  git: GitRunner,
  gitDir: string,
  { from, to }: { from: string; to: string },
): Promise<string[]> {
  const how = ['-r', '-z', '--name-only', '--no-renames']
  const { stdout } = await git.run(['diff-tree', ...how, from, to], { gitDir })
  return stdout.toString('utf8').split('\0').filter(Boolean)
}

/** When a commit of a hub was made, in Unix seconds. Throws when it is not there. */
export async function dateOf(git: GitRunner, gitDir: string, sha: string): Promise<number> {
  checkSha(sha)
  const commit = await git.readCommit(gitDir, sha)
  const date = /^committer .* (\d+) [-+]\d{4}$/m.exec(commit)?.[1]
  if (date === undefined) throw new Error(`commit ${sha} has no date`)
  return Number(date)
}

/** A commit of a hub in parts. Throws when it is not there. */
export async function commitOf(
  git: GitRunner,
  gitDir: string,
  sha: string,
): Promise<{ parents: string[]; message: string }> {
  const [header = '', ...paragraphs] = (await git.readCommit(gitDir, sha)).split('\n\n')
  const parents = [...header.matchAll(/^parent (\w+)$/gm)].map(([, parent = '']) => parent)
  return { parents, message: paragraphs.join('\n\n') }
}

/** So many commits are looked through before a process is started for them all. */
const LOOKED_THROUGH = 50

/** Whether the history of a commit of a hub holds another one. A recent one costs no process. */
export async function isAncestor(
  git: GitRunner,
  gitDir: string,
  { ancestor, of }: { ancestor: string; of: string },
): Promise<boolean> {
  let sha: string | undefined = of
  for (let looks = 0; sha && looks < LOOKED_THROUGH; looks++) {
    if (sha === ancestor) return true
    // a shallow history ends at a commit whose parent is not there
    const [parent]: string[] = await commitOf(git, gitDir, sha).then(
      ({ parents }) => parents,
      () => [],
    )
    sha = parent
  }
  return git.succeeds(['merge-base', '--is-ancestor', ancestor, of], { gitDir })
}

/** Compare-and-swap. `old` undefined means "must not exist". False when somebody else was first. */
export async function swapRef(
  git: GitRunner,
  gitDir: string,
  change: { ref: string; to: string; from: string | undefined; why: string },
): Promise<boolean> {
  const zero = '0'.repeat(change.to.length)
  const args = ['update-ref', '-m', change.why, change.ref, change.to, change.from ?? zero]
  const { code, stderr } = await git.run(args, { gitDir, answers: [0, 1, 128] })
  if (code === 0) return true
  if (/but expected|reference already exists|unable to resolve reference/.test(stderr)) return false
  if (/exists; cannot create|cannot lock ref .* exists/.test(stderr))
    throw new GitProblem(
      'ref_conflict',
      `${change.ref} cannot be created beside a branch whose name is a part of it.`,
      'Rename or delete the other branch.',
    )
  throw (
    notWritable(stderr) ?? new Error(`update-ref ${change.ref} failed (${code}): ${stderr.trim()}`)
  )
}

/** Sets a ref of ours to a commit, whatever it was. */
export async function setRef(
  git: GitRunner,
  gitDir: string,
  ref: string,
  sha: string,
): Promise<void> {
  if ((await git.look(gitDir, ref))?.sha === sha) return
  const set = ['update-ref', '--no-deref', ref, sha]
  try {
    await git.run(set, { gitDir })
  } catch (error) {
    // a machine that went down, or an agent, left no commit's name there: git replaces only what it can read
    if (!(error instanceof GitFailure) || !error.stderr.includes('unable to resolve reference'))
      throw error
    await rm(join(gitDir, ref))
    await git.run(set, { gitDir })
  }
}
