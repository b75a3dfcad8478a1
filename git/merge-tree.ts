import { messageWith, type Trailers } from './commit.ts'
import { dateOf } from './refs.ts'
import type { GitRunner } from './run.ts'

export type MergeTree =
  | { clean: true; tree: string }
  | { clean: false; tree: string; files: string[] }

/** Merges two commits without a working tree. A tree with conflicts holds the markers. */
export async function mergeTree(
  git: GitRunner,
  gitDir: string,
  ours: string,
  theirs: string,
): Promise<MergeTree> {
  const args = [
    'merge-tree',
    '--write-tree',
    '-z',
    '--name-only',
    '--no-messages',
    '--allow-unrelated-histories',
    ours,
    theirs,
  ]
  const { code, stdout } = await git.run(args, { gitDir, answers: [0, 1] })
  const [tree = '', ...files] = stdout.toString('utf8').split('\0').filter(Boolean)
  return code === 0
    ? { clean: true, tree: tree.trim() }
    : { clean: false, tree: tree.trim(), files: [...new Set(files)] }
}

/** The commit in `range` that carries the merge key, if the merge already happened (facts R02). */
export async function findMergeKey(
  git: GitRunner,
  gitDir: string,
  input: { key: string; from: string | undefined; to: string },
): Promise<string | undefined> {
  if (input.from === input.to) return undefined
  const range = input.from === undefined ? [input.to] : [`${input.from}..${input.to}`]
  const format = '--format=%H%x09%(trailers:key=Dispatch-Merge-Key,valueonly,separator=%x09)'
  const args = [
    'log',
    '--no-show-signature',
    '--no-color',
    '-F',
    `--grep=Dispatch-Merge-Key: ${input.key}`,
    format,
    ...range,
    '--',
  ]
  const lines = (await git.text(args, { gitDir })).split('\n')
  const mine = lines
    .map((line) => line.split('\t'))
    .find(([, ...keys]) => keys.some((key) => key.trim() === input.key))
  return mine?.[0]
}

/** A key goes into a commit message and is searched there: one line of plain characters. */
export function checkMergeKey(key: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9/_.:-]{0,255}$/.test(key))
    throw new Error(`not a merge key: ${JSON.stringify(key)}`)
}

/** Author, committer and date follow from the parents, so the same merge made again is the same commit. */
export async function commitMerge(
  git: GitRunner,
  gitDir: string,
  commit: {
    tree: string
    parents: readonly string[]
    dateOf: readonly string[]
    message: string
    trailers: Trailers
  },
): Promise<string> {
  const dates = await Promise.all(commit.dateOf.map((sha) => dateOf(git, gitDir, sha)))
  const parents = commit.parents.flatMap((sha) => ['-p', sha])
  return git.text(['commit-tree', commit.tree, ...parents], {
    gitDir,
    date: Math.max(...dates),
    input: messageWith(commit.message, commit.trailers),
  })
}
