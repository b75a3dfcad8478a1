import { join } from 'node:path'
import type { GitDeps } from './hubs.ts'
import type { ProjectLayout } from './layout.ts'
import { readRegularText } from './read-regular.ts'
import { hasCommit } from './refs.ts'
import type { GitCall, GitRunner } from './run.ts'

interface Stash {
  sha: string
  /** Such as `WIP on main: 1234567 its last commit`. */
  about: string
}

interface Numbered {
  /** Its place in the list. */
  number: number
  stash: Stash
}

/** More than what agents stash. */
const LOG_BYTES = 10_000_000

/** What is stashed in the sandbox hub: git has one list for all its worktrees. As git counts it, the last one first. */
async function stashes(layout: ProjectLayout): Promise<Stash[]> {
  const log = await readRegularText(join(layout.sandbox, 'logs', 'refs', 'stash'), LOG_BYTES)
  const lines = (log ?? '').split('\n').filter(Boolean).reverse()
  return lines.map((line) => {
    const [ids = '', about = ''] = line.split('\t')
    return { sha: ids.split(' ')[1] ?? '', about }
  })
}

/** Whether it was stashed on a branch. Agents can write anything into the list. */
const isOf = (branch: string, { sha, about }: Stash) =>
  /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(sha) &&
  ['WIP on', 'On'].some((how) => about.startsWith(`${how} ${branch}: `))

/** The commits of what was stashed on a branch and not taken back. */
export async function stashedOn(
  { git }: GitDeps,
  layout: ProjectLayout,
  branch: string,
): Promise<string[]> {
  const own = (await stashes(layout)).filter((stash) => isOf(branch, stash))
  const there = await Promise.all(own.map(({ sha }) => hasCommit(git, layout.sandbox, sha)))
  return own.filter((_, index) => there[index]).map(({ sha }) => sha)
}

/** Takes from the list what was stashed on a branch and is saved: the next `git stash pop` of another task would take it. */
export async function dropStashes(
  { git, queue }: GitDeps,
  layout: ProjectLayout,
  branch: string,
): Promise<void> {
  // git insists on a working tree, and does not look at it
  const call = { gitDir: layout.sandbox, workTree: layout.sandbox }
  await queue.run(layout.sandbox, async () => {
    const listed = [...(await stashes(layout)).entries()]
    // from the end, so that the numbers of those before it hold
    for (const [number, stash] of listed.reverse())
      if (isOf(branch, stash) && (await hasCommit(git, layout.clean, stash.sha)))
        await drop(git, call, { number, stash })
  })
}

/** Git drops by number, and an agent may have stashed since the list was read: what is dropped in its place is put back. */
async function drop(git: GitRunner, call: GitCall, { number, stash }: Numbered): Promise<void> {
  const said = await git.text(['stash', 'drop', `stash@{${number}}`], call)
  const dropped = /\(([0-9a-f]+)\)$/.exec(said)?.[1]
  if (dropped === undefined || dropped === stash.sha) return
  const about = await git.text(['log', '-1', '--format=%s', dropped], call)
  await git.text(['stash', 'store', '-q', '-m', about, dropped], call)
}
