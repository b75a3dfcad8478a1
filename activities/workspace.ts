import { goalStream, scratchKey, scratchName, shortId, taskKey } from '../contracts/ids.ts'
import { WRITING_STAGES } from '../contracts/stages.ts'
import type { EmittedEvent } from '../db/events.ts'
import type { GoalFacts, TaskRow } from '../db/facts.ts'
import type { StageKey } from '../db/stages.ts'
import { isDiskFull } from '../domain/disk.ts'
import type { Salvage } from '../git/commit.ts'
import { branchGone, GitProblem, isGitsFault } from '../git/problem.ts'
import type { ReleaseInput } from '../git/worktrees.ts'
import type { ActivityDeps } from './deps.ts'
import { taskBranch } from './names.ts'

/** Where an agent works. `base` is what its change is measured against; `head` where the worktree stood when it was opened. */
export interface Workspace {
  key: string
  path: string
  base: string
  head: string
  /** A worktree for looking only: whatever is changed in it is thrown away. */
  scratch: boolean
}

/**
 * The worktree of a stage: the task's own for stages that write, a scratch one at the exact commit for those that
 * judge, so that evidence is about what is committed and not about leftovers.
 */
export async function openWorkspace(
  deps: ActivityDeps,
  facts: GoalFacts,
  key: StageKey,
): Promise<Workspace> {
  return WRITING_STAGES.includes(key.stage)
    ? taskWorkspace(deps, facts)
    : scratchWorkspace(deps, facts, key)
}

async function taskWorkspace(deps: ActivityDeps, facts: GoalFacts): Promise<Workspace> {
  const { task, project } = facts
  if (!task) throw new Error('a writing stage needs a task')
  const base = task.base ?? (await goalHead(deps, facts))
  const branch = task.branch ?? taskBranch(task)
  if (!task.base || !task.branch)
    await deps.database.knex('tasks').where({ id: task.id }).update({ base, branch })
  const key = taskKey(task.id)
  const { path, head } = await deps.git.claimWorktree({ projectId: project.id, key, base, branch })
  await deps.git.provisionDependencies({ repoPath: project.path, worktreePath: path })
  return { key, path, base, head, scratch: false }
}

async function scratchWorkspace(
  deps: ActivityDeps,
  facts: GoalFacts,
  key: StageKey,
): Promise<Workspace> {
  const { goal, task, project } = facts
  const at = await commitToLookAt(deps, facts, key)
  const claim = {
    projectId: project.id,
    key: scratchKey({ ...key, goal, task }),
    base: at,
    branch: `dispatch/scratch-${scratchName({ ...key, goal, task })}`,
  }
  const { path, head } = await deps.git.claimWorktree(claim)
  await deps.git.provisionDependencies({ repoPath: project.path, worktreePath: path })
  return { key: claim.key, path, base: task?.base ?? goal.base_commit ?? at, head, scratch: true }
}

/**
 * Gives the worktree of a stage that only looks back, if it has one. Again, or for a stage that writes, it does nothing. One that cannot be given
 * back stays, and takes no answer with it.
 */
export async function releaseScratch(
  deps: ActivityDeps,
  { goal, task, project }: Pick<GoalFacts, 'goal' | 'task' | 'project'>,
  key: Pick<StageKey, 'stage' | 'attempt'>,
): Promise<void> {
  if (WRITING_STAGES.includes(key.stage)) return
  const { stage, attempt } = key
  const claim = scratchKey({ goal, task, stage, attempt })
  const release = { projectId: project.id, key: claim, dropBranch: true, scratch: true }
  const problem = await releaseOrKeep(deps, release)
  if (problem) deps.log('a worktree is kept', { key: claim, problem })
}

/** What kept the worktree from being given back. What was in it is there still, and the work goes on without it. */
async function releaseOrKeep(
  { git }: ActivityDeps,
  release: ReleaseInput,
): Promise<string | undefined> {
  try {
    await git.releaseWorktree(release)
    return undefined
  } catch (error) {
    if (!isGitsFault(error) || isDiskFull(error)) throw error
    // to try again what it is advised to try again would be to do the stage again
    const advice = error instanceof GitProblem ? error.advice.length : 0
    return error.message.slice(0, error.message.length - advice).trim()
  }
}

/** Gives a task's worktree back, with its branch, and tells where its work is as far as that was nowhere else, or that it stays. */
export async function releaseTask(
  deps: ActivityDeps,
  { goal, project }: Pick<GoalFacts, 'goal' | 'project'>,
  task: Pick<TaskRow, 'id' | 'number'>,
): Promise<void> {
  const problem = await releaseOrKeep(deps, {
    ...{ projectId: project.id, key: taskKey(task.id), dropBranch: true },
    onSalvaged: tellSalvaged(deps, goal.id),
  })
  if (!problem) return
  const text = `The worktree of ${shortId('task', task.number)} is kept, for it could not be saved whole: ${problem} dispatch doctor names its folder.`
  const data = { level: 'warn', text } as const
  await tell(deps, { ...aboutGoal(goal.id), type: 'system.notice', data })
}

/** Tells in a goal's feed where work of it was saved. */
export const tellSalvaged = (deps: ActivityDeps, goalId: string) => (saved: Salvage) => {
  const data = { goalId, ...saved }
  return tell(deps, { ...aboutGoal(goalId), type: 'goal.salvaged', data })
}

const aboutGoal = (goalId: string) => ({ stream: goalStream(goalId), actor: 'dispatch' }) as const

const tell = ({ database }: ActivityDeps, told: EmittedEvent) =>
  database.change(async (_tx, emit) => emit(told))

async function commitToLookAt(
  deps: ActivityDeps,
  facts: GoalFacts,
  key: StageKey,
): Promise<string> {
  if (key.stage === 'audit') return goalHead(deps, facts)
  const commit = facts.task ? facts.task.head : facts.goal.base_commit
  if (!commit) throw new Error(`there is no commit to look at in stage ${key.stage}`)
  return commit
}

/** The head of the goal's branch. Throws `hub_gone`. */
export async function goalHead(
  { git }: Pick<ActivityDeps, 'git'>,
  { goal: { id, branch }, project }: Pick<GoalFacts, 'goal' | 'project'>,
): Promise<string> {
  if (!branch) throw new Error(`goal ${id} has not begun`)
  const head = await git.branchHead({ projectId: project.id, branch })
  if (!head) throw branchGone(branch)
  return head
}
