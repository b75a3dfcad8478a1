import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ProjectLayout, personObjects, writeWhole } from './layout.ts'
import { GitFailure, GitProblem } from './problem.ts'
import { commitOf, hasCommit } from './refs.ts'
import type { GitRunner } from './run.ts'

/** Where the history in a repository ends before its beginning; nothing for a complete one. */
async function endsOf(gitDir: string): Promise<string[]> {
  const text = await readFile(join(gitDir, 'shallow'), 'utf8').catch(() => '')
  return text.split('\n').filter(Boolean)
}

/**
 * The hub learns where the person's history ends. Where its own ended before it still does, unless the person has by now what comes
 * before: they may have fetched more of it, or dropped what the hub's work began at.
 */
export async function followShallow(
  git: GitRunner,
  layout: ProjectLayout,
  commonDir: string,
): Promise<void> {
  const [own, theirs] = await Promise.all([endsOf(layout.clean), endsOf(commonDir)])
  const ends = [...theirs]
  for (const end of own.filter((sha) => !theirs.includes(sha)))
    if (!(await bringBefore(git, layout, { commonDir, end }))) ends.push(end)
  const text = ends.map((sha) => `${sha}\n`).join('')
  if (text === own.map((sha) => `${sha}\n`).join('')) return
  // agents look at the history too
  for (const hub of [layout.clean, layout.sandbox]) await writeWhole(join(hub, 'shallow'), text)
}

/** Brings what comes before a commit of the hub; false when the person has it not, or not whole. */
async function bringBefore(
  git: GitRunner,
  layout: ProjectLayout,
  { commonDir, end }: { commonDir: string; end: string },
): Promise<boolean> {
  if (!(await hasCommit(git, layout.clean, end))) return true // an end of a branch that never came
  const { parents } = await commitOf(git, layout.clean, end)
  const ends = ['--shallow-file', join(commonDir, 'shallow')]
  const pack = [...ends, 'pack-objects', '--revs', '--stdout', '-q', '--delta-base-offset']
  const from = { ...personObjects(layout, commonDir), input: `${parents.join('\n')}\n` }
  try {
    await git.pipe(pack, from, ['index-pack', '--stdin'], { gitDir: layout.clean })
    return true
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error
    return false
  }
}

/** What the hub knows of a commit's history, but for `haves`, up to where it ends. */
async function endsIn(
  git: GitRunner,
  { clean }: ProjectLayout,
  range: { sha: string; haves: readonly string[] },
): Promise<string[]> {
  const ends = await endsOf(clean)
  if (ends.length === 0) return []
  const args = ['rev-list', range.sha, ...range.haves.map((sha) => `^${sha}`)]
  const commits = (await git.text(args, { gitDir: clean })).split('\n')
  return commits.filter((sha) => ends.includes(sha))
}

/** Throws where two histories would only meet before what the person has of them: a merge would take one for all new. */
export async function checkCommonHistory(
  git: GitRunner,
  layout: ProjectLayout,
  between: { sha: string; haves: readonly string[] },
): Promise<void> {
  const [end] = await endsIn(git, layout, between)
  if (end !== undefined) throw historyMissing(end)
}

/** Throws where the person would get a commit whose parents they have not, and know nothing of: it would break their repository. */
export async function checkEnds(
  git: GitRunner,
  layout: ProjectLayout,
  to: { commonDir: string; sha: string; haves: readonly string[] },
): Promise<void> {
  const person = personObjects(layout, to.commonDir)
  for (const end of await endsIn(git, layout, to))
    if (!(await git.succeeds(['cat-file', '-e', end], person))) throw historyMissing(end)
}

const historyMissing = (end: string) =>
  new GitProblem(
    'incomplete_repository',
    `The repository is shallow, and what it has of the history does not reach back to ${end.slice(0, 12)}, where this work began.`,
    'Fetch the rest (git fetch --unshallow), then try again.',
  )
