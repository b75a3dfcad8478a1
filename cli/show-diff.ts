import { parseId } from '../contracts/ids.ts'
import type { Goal, Review, ReviewSummary, Task } from '../contracts/schemas.ts'
import type { Deps } from './command.ts'
import { CliFailure, problemBody, usageFailure } from './failure.ts'
import type { Io } from './io.ts'
import { unlessNotFound } from './pending-review.ts'
import { patchLines, type TaskDiff } from './print-diff.ts'
import { canonical } from './target.ts'

/** The diff of one task or of a merge, with the short id of the task or the review. */
export type NamedDiff = TaskDiff & { task: string; title: string }

/**
 * What the id of a task, a review or a goal changed. A goal whose merge waits for a person has the diff of that review, which is what
 * would be approved; else one for each task that has a commit.
 */
export async function diffsOf(text: string, deps: Deps): Promise<NamedDiff[]> {
  const id = parseId(text)
  const known = canonical(text)
  if (!id || ('kind' in id && (id.kind === 'project' || id.kind === 'run')))
    throw usageFailure(
      `"${text}" is not the id of a task, review or goal.`,
      'It looks like T-31, R-9 or G-12.',
    )
  const params = { id: known }
  if ('kind' in id) {
    if (id.kind === 'task') return diffOfTask(await deps.call('getTask', { params }), deps)
    if (id.kind === 'review') return diffOfReview(await deps.call('getReview', { params }), deps)
    return diffsOfGoal(await deps.call('getGoal', { params }), deps)
  }
  // A uuid does not say what it names.
  const task = await unlessNotFound(deps.call('getTask', { params }))
  if (task) return diffOfTask(task, deps)
  const review = await unlessNotFound(deps.call('getReview', { params }))
  if (review) return diffOfReview(review, deps)
  return diffsOfGoal(await deps.call('getGoal', { params }), deps)
}

/** The diff that a review is about. Refused when the task has moved on since: that would not be what is approved. */
export async function diffOfReview(
  review: ReviewSummary & Pick<Review, 'head'>,
  deps: Deps,
): Promise<NamedDiff[]> {
  if (review.kind === 'merge') return [await diffOfMerge(review, deps)]
  if (review.taskId === null)
    throw new CliFailure(
      'notFound',
      'no_diff',
      `${review.shortId} is the review of a ${review.kind}: it has no diff.`,
      `Read it: dispatch review ${review.shortId}`,
    )
  const task = await deps.call('getTask', { params: { id: review.taskId } })
  const [diff] = await diffOfTask(task, deps)
  if (diff && review.head !== null && diff.head !== review.head)
    throw new CliFailure(
      'refused',
      'moved',
      `${task.shortId} has moved on since ${review.shortId}: it is at ${diff.head.slice(0, 12)}, the review is of ${review.head.slice(0, 12)}.`,
      `What it is now: dispatch diff ${task.shortId}`,
    )
  return diff ? [diff] : []
}

/** All that a merge review is about, also the files that the server leaves out of its first answer. */
async function diffOfMerge({ id, shortId, title }: ReviewSummary, deps: Deps): Promise<NamedDiff> {
  const read = (path?: string) =>
    deps.call('getReviewDiff', { params: { id }, query: path === undefined ? {} : { path } })
  const { files: parts, previous: _, ...diff } = await read()
  const files: NamedDiff['files'] = []
  let patch = ''
  for (const { patch: part, blob: __, ...file } of parts) {
    files.push(file)
    patch += part ?? (await read(file.path)).files[0]?.patch ?? ''
  }
  return { task: shortId, title, ...diff, files, patch }
}

async function diffOfTask(
  task: Pick<Task, 'id' | 'shortId' | 'title'>,
  deps: Deps,
): Promise<NamedDiff[]> {
  const diff = await deps.call('getTaskDiff', { params: { id: task.id } })
  return [{ task: task.shortId, title: task.title, ...diff }]
}

async function diffsOfGoal(goal: Goal, deps: Deps): Promise<NamedDiff[]> {
  const merge = goal.reviews.find(({ kind, status }) => kind === 'merge' && status === 'pending')
  if (merge) return [await diffOfMerge(merge, deps)]
  const found = await Promise.all(
    goal.tasks.map((task) => diffOfTask(task, deps).catch(noCommitYet)),
  )
  const diffs = found.flat()
  if (diffs.length === 0)
    throw new CliFailure(
      'notFound',
      'no_diff',
      `No task of ${goal.shortId} has a commit yet.`,
      `See where it is: dispatch goal show ${goal.shortId}`,
    )
  return diffs
}

function noCommitYet(error: unknown): NamedDiff[] {
  if (problemBody(error)?.code === 'wrong_state') return []
  throw error
}

/** Through the pager on a terminal, else plain. Says nothing with --json. */
export async function showDiffs(diffs: NamedDiff[], deps: Deps, io: Io): Promise<void> {
  if (io.json) return
  const lines = diffs.flatMap((diff) => diffLines(diff, { several: diffs.length > 1, io }))
  if (io.tty && io.interactive) {
    const { showInPager } = await import('./pager.ts')
    if (await showInPager(`${lines.join('\n')}\n`, deps.env)) return
  }
  io.print(lines.join('\n'))
}

function diffLines(diff: NamedDiff, { several, io }: { several: boolean; io: Io }): string[] {
  const heading = `${diff.task} ${io.clean(diff.title)}, ${diff.base.slice(0, 12)}..${diff.head.slice(0, 12)}`
  const cut =
    'The patch is too large to be shown whole; the list of files of its review is complete.'
  return [
    ...(several || io.tty ? [io.paint('bold', several ? `# ${heading}` : heading)] : []),
    ...patchLines(diff.patch, io.paint),
    ...(diff.truncated ? [io.paint('yellow', `# ${cut}`)] : []),
  ]
}
