import { createHash } from 'node:crypto'
import { TOO_LARGE } from '../contracts/stages.ts'
import { projectLayout } from './layout.ts'
import { createMemo, type Memo } from './memo.ts'
import { GitProblem } from './problem.ts'
import { checkSha, treeOf } from './refs.ts'
import type { GitRunner } from './run.ts'
import { suspiciousCharacters, suspiciousLines } from './suspicious.ts'

/** More than this is hashed and counted, but not shown (5 MB). */
export const PATCH_LIMIT = 5 * 1024 * 1024

export interface DiffFile {
  path: string
  /** Where it was, for a rename or copy. */
  oldPath?: string
  status: 'added' | 'modified' | 'deleted' | 'renamed' | 'copied' | 'type_changed'
  /** 0 for binary files. */
  additions: number
  deletions: number
  binary: boolean
  modeChanged: boolean
  symlink: boolean
  submodule: boolean
  /** Object ids of its content before and after; zeros where there is none. */
  ids: { before: string; after: string }
  /** What a reviewer could overlook; each is a short phrase. Not empty means: must be looked at. */
  suspicious: string[]
}
export interface Diff {
  base: string
  head: string
  tree: string
  /** sha256 of the canonical diff: the thing an approval names. */
  hash: string
  files: DiffFile[]
  /** The canonical diff as text, cut at `PATCH_LIMIT` bytes. */
  patch: string
  truncated: boolean
}

/** Everything that changes the text of a diff is fixed here (facts R05), so that the hash means the change and nothing else. */
const CANONICAL = [
  'diff',
  '--no-color',
  '--no-ext-diff',
  '--no-textconv',
  '--full-index',
  '--binary',
  '--find-renames=50%',
  '-l1000',
  '--unified=3',
  '--inter-hunk-context=0',
  '--diff-algorithm=myers',
  '--indent-heuristic',
  '--submodule=short',
  '--ignore-submodules=none',
  '--src-prefix=a/',
  '--dst-prefix=b/',
  '-O/dev/null',
]

/** Hashes of diffs by the two trees, which say all that a diff depends on: a goal asks for the same one a few times. */
const hashes = new WeakMap<GitRunner, Memo<string>>()

function hashesOf(git: GitRunner): Memo<string> {
  const known = hashes.get(git) ?? createMemo<string>(500)
  hashes.set(git, known)
  return known
}

/** sha256 of the canonical diff between two commits or trees, without reading it into memory. */
export async function diffHash(
  git: GitRunner,
  gitDir: string,
  base: string,
  head: string,
): Promise<string> {
  const trees = await Promise.all([base, head].map((sha) => treeOf(git, gitDir, sha)))
  return hashesOf(git).get(trees.join(' '), async () => {
    const hash = createHash('sha256')
    await git.stream([...CANONICAL, base, head], { gitDir }, (chunk) => hash.update(chunk))
    return hash.digest('hex')
  })
}

const STATUS: Readonly<Record<string, DiffFile['status']>> = {
  A: 'added',
  M: 'modified',
  D: 'deleted',
  R: 'renamed',
  C: 'copied',
  T: 'type_changed',
}

/** Fields of `--raw -z`: `:oldmode newmode oldsha newsha STATUS`, path, and a second path for renames and copies. */
function parseRaw(fields: readonly string[]): {
  files: DiffFile[]
  /** Where the fields of `--numstat` begin. */
  end: number
} {
  const files: DiffFile[] = []
  let at = 0
  while (fields[at]?.startsWith(':')) {
    const [header = '', first = '', second = ''] = fields.slice(at, at + 3)
    const letter = header.slice(header.lastIndexOf(' ') + 1)[0] ?? ''
    const two = letter === 'R' || letter === 'C'
    files.push(diffFile(header, two ? { path: second, oldPath: first } : { path: first }))
    at += two ? 3 : 2
  }
  return { files, end: at }
}

function diffFile(header: string, paths: { path: string; oldPath?: string }): DiffFile {
  const [oldMode = '', newMode = '', before = '', after = '', letter = ''] = header
    .slice(1)
    .split(' ')
  const status = STATUS[letter[0] ?? '']
  if (!status) throw new Error(`unknown diff status ${letter}`)
  const modes = [oldMode, newMode]
  return {
    ...paths,
    status,
    additions: 0,
    deletions: 0,
    binary: false,
    modeChanged: oldMode !== newMode && status !== 'added' && status !== 'deleted',
    symlink: modes.includes('120000'),
    submodule: modes.includes('160000'),
    ids: { before, after },
    suspicious: suspiciousModes({ oldMode, newMode, path: paths.path, status }),
  }
}

function suspiciousModes(at: {
  oldMode: string
  newMode: string
  path: string
  status: DiffFile['status']
}): string[] {
  const found = suspiciousCharacters(at.path).map((what) => `${what} in the file's name`)
  if (at.newMode === '100755' && at.oldMode !== '100755') found.push('became executable')
  else if (at.oldMode !== at.newMode && at.status === 'modified')
    found.push(`mode ${at.oldMode} became ${at.newMode}`)
  if (at.newMode === '120000') found.push('symbolic link')
  if (at.newMode === '160000' || at.oldMode === '160000') found.push('submodule')
  if (/(^|\/)\.git(modules|attributes)$/.test(at.path)) found.push('git settings of the repository')
  return found
}

function addCounts(files: readonly DiffFile[], fields: readonly string[]): void {
  let at = 0
  for (const file of files) {
    const [additions = '', deletions = '', inline = ''] = (fields[at] ?? '').split('\t')
    file.binary = additions === '-'
    file.additions = file.binary ? 0 : Number(additions)
    file.deletions = file.binary ? 0 : Number(deletions)
    if (file.binary && file.status !== 'deleted') file.suspicious.push('binary file')
    at += inline === '' ? 3 : 1
  }
}

function addSuspiciousLines(files: readonly DiffFile[], patch: string, truncated: boolean): void {
  const patches = filePatches(files, patch)
  const last = patches.findLastIndex((sections) => sections.length > 0)
  for (const [index, file] of files.entries()) {
    file.suspicious.push(...(patches[index] ?? []).flatMap(suspiciousLines))
    if (truncated && index >= last) file.suspicious.push(TOO_LARGE)
  }
}

/**
 * The parts of a diff's text that are each file's, in the files' order. Empty for what the text does not hold: it was cut
 * before, or the file differs in nothing but ignored white space.
 */
export function filePatches(
  files: readonly Pick<DiffFile, 'ids' | 'status'>[],
  patch: string,
): string[][] {
  const sections = patch.split(/^(?=diff --git )/m).filter(Boolean)
  let at = 0
  return files.map(({ ids, status }) => {
    // a file that becomes a link is shown as one part that deletes and one that adds
    const count = status === 'type_changed' ? 2 : 1
    const index = /^index ([0-9a-f]+)\.\.([0-9a-f]+)/m.exec(headOf(sections[at]))
    const isOther = index && (index[1] !== ids.before || index[2] !== ids.after)
    if (count === 1 && (isOther || (!index && ids.before !== ids.after))) return []
    const mine = sections.slice(at, at + count)
    at += count
    return mine
  })
}

/** A section without its hunks, where lines of content could look like anything. */
const headOf = (section = '') => section.split(/^(?=@@ |GIT binary patch)/m, 1)[0] ?? ''

/**
 * The change between two commits or trees of the clean hub, as data and as text. With `ignoreWhitespace` or `paths` the hash is
 * that of what is shown, and no review's.
 */
export async function diff(
  deps: { git: GitRunner; home: string },
  input: {
    projectId: string
    base: string
    head: string
    ignoreWhitespace?: boolean
    /** Only these, each the exact path of a file. */
    paths?: readonly string[]
  },
): Promise<Diff> {
  const { git, home } = deps
  const { base, head } = input
  const only = input.paths ? ['--', ...input.paths] : []
  const whole = !input.ignoreWhitespace && !input.paths
  for (const sha of [base, head]) checkSha(sha)
  const gitDir = projectLayout(home, input.projectId).clean
  const hash = createHash('sha256')
  const kept: Buffer[] = []
  let size = 0
  const keep = (chunk: Buffer) => {
    hash.update(chunk)
    if (size < PATCH_LIMIT) kept.push(chunk.subarray(0, PATCH_LIMIT - size))
    size += chunk.length
  }
  const options = [
    '--no-ext-diff',
    '--no-textconv',
    '--find-renames=50%',
    '-l1000',
    '--ignore-submodules=none',
    '-z',
  ]
  const [from, tree] = await Promise.all([treeOf(git, gitDir, base), treeOf(git, gitDir, head)])
  if (tree === undefined)
    throw new GitProblem(
      'commit_missing',
      `Commit ${head.slice(0, 12)} is not in the hub.`,
      'Publish it first.',
    )
  const [numbers] = await Promise.all([
    git.run(['diff', '--raw', '--numstat', '--no-abbrev', ...options, base, head, ...only], {
      gitDir,
    }),
    git.stream(
      [...CANONICAL, ...(input.ignoreWhitespace ? ['-w'] : []), base, head, ...only],
      { gitDir },
      keep,
    ),
  ])
  const fields = numbers.stdout.toString('utf8').split('\0')
  const { files, end } = parseRaw(fields)
  addCounts(files, fields.slice(end))
  const patch = Buffer.concat(kept).toString('utf8')
  const truncated = size > PATCH_LIMIT
  addSuspiciousLines(files, patch, truncated)
  const digest = hash.digest('hex')
  if (whole) hashesOf(git).put(`${from} ${tree}`, digest)
  return {
    base,
    head,
    tree,
    hash: digest,
    files,
    patch,
    truncated,
  }
}
