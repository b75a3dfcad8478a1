import {
  CancellationScope,
  type ChildWorkflowHandle,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  rootCause,
  startChild,
} from '@temporalio/workflow'
import type { NewTask } from '../activities/types.ts'
import { taskWorkflowId } from '../contracts/ids.ts'
import type { GoalInput, StageAdapters } from '../contracts/messages.ts'
import type { AgentStage, ReviewKind, Stage } from '../contracts/stages.ts'
import {
  type Answer,
  afterAttention,
  type Circumstances,
  type GoalStage,
  type Move,
  nextMove,
  readyStages,
} from '../domain/pipeline.ts'
import { brief, core } from './activities.ts'
import {
  type Controls,
  createControls,
  isFailure,
  retryStage,
  setAdapters,
  setPaused,
} from './controls.ts'
import { createStageTable, markSearch } from './stage-table.ts'
import { type TaskOutcome, taskWorkflow, toAnswer } from './task.ts'

/** A person or a rule ended the goal; its branch is kept. */
class GoalEnded extends Error {}

/** One goal from its text to the merge. Waits as long as people need; ends completed or cancelled, never in silence. */
export async function goalWorkflow(input: GoalInput): Promise<void> {
  const { goalId } = input
  let root = new CancellationScope()
  const controls = createControls(() => root.cancel())
  const children: Children = new Map()
  /** Ends what is at work and waits until it has ended. */
  const end = async () => {
    root.cancel()
    await CancellationScope.nonCancellable(() =>
      Promise.allSettled([
        controls.idle(),
        ...[...children.values()].map((child) => child.result()),
      ]),
    )
  }
  let broke: string | undefined
  try {
    for (;;) {
      try {
        return await root.run(async () => {
          // nothing may end a goal in silence: a person is asked, and the pipeline starts again from what Postgres knows
          if (broke !== undefined)
            await controls.attention({ goalId, taskId: null, stage: 'spec', attempt: 0 }, broke)
          await pipeline(goalId, controls, children)
        })
      } catch (error) {
        if (!isFailure(error)) throw error
        broke = rootCause(error) ?? error.message
        // what is left of this pipeline would work beside the next one
        await end()
        const cancelled = controls.cancelled()
        if (cancelled !== undefined) throw new GoalEnded(cancelled)
        root = new CancellationScope()
      }
    }
  } catch (error) {
    if (!(error instanceof GoalEnded) && !isCancellation(error)) throw error
    const reason =
      error instanceof GoalEnded
        ? error.message
        : (controls.cancelled() ?? 'cancelled by an operator')
    await end()
    await CancellationScope.nonCancellable(async () => {
      await controls.insist({ goalId, taskId: null, stage: 'merge', attempt: 0 }, () =>
        core.endGoal({ goalId, reason }),
      )
    })
    markSearch({ status: 'cancelled', pendingReview: false, adapter: 'dispatch' })
  }
}

type Children = Map<string, ChildWorkflowHandle<typeof taskWorkflow>>

async function pipeline(goalId: string, controls: Controls, children: Children): Promise<void> {
  const table = createStageTable()
  const attempts: Partial<Record<Stage, number>> = {}
  const done: GoalStage[] = []
  let tasks: NewTask[] = []
  const taskResults = new Map<string, Promise<void>>()
  let tasksDone = 0
  let mergeReviews = 0
  let budgetReviews = 0
  let sending: Promise<void> = Promise.resolve()
  const settings = await insist('spec', () => brief().startGoal({ goalId }))

  const pauseTask = (id: string) =>
    inTurn(() =>
      getExternalWorkflowHandle(taskWorkflowId(id)).signal(setPaused, {
        paused: controls.isPaused(),
      }),
    )
  controls.onPause(async () => {
    await Promise.all([...children.keys()].map(pauseTask))
  })
  controls.onRetry(async (key) => {
    const retryTask = (id: string) =>
      inTurn(() => getExternalWorkflowHandle(taskWorkflowId(id)).signal(retryStage, { key }))
    await Promise.all([...children.keys()].map(retryTask))
  })

  controls.onAdapters(async () => {
    const at = tasks.filter(({ taskId }) => children.has(taskId))
    const tell = (task: NewTask) =>
      inTurn(() =>
        getExternalWorkflowHandle(taskWorkflowId(task.taskId)).signal(setAdapters, {
          adapters: adaptersFor(task),
        }),
      )
    await Promise.all(at.map(tell))
  })

  while (done.length < 6) {
    const ready = readyStages(done)
    await Promise.all(ready.map((stage) => runToPassed(stage)))
    done.push(...ready)
  }
  markSearch({ status: 'completed', stage: 'merge', pendingReview: false, adapter: 'dispatch' })

  /** Signals to tasks go out one after the other, each with the newest state; a task that has just ended needs none. */
  function inTurn(signal: () => Promise<void>): Promise<void> {
    sending = sending.then(signal).catch((error: unknown) => {
      log.info('a task that has ended was not told', { error: String(error) })
    })
    return sending
  }

  /** Runs one goal stage until its rules say go on; asks, tries again and waits for a person as they say. */
  async function runToPassed(stage: GoalStage, told = ''): Promise<void> {
    if (stage === 'review') return runTasks()
    mark(stage, 'running')
    let feedback = told
    for (;;) {
      const attempt = (attempts[stage] ?? 0) + 1
      attempts[stage] = attempt
      const answer =
        stage === 'merge' ? await merge(attempt) : await agent(stage, attempt, feedback)
      const at = {
        stage,
        verifyRounds: 0,
        maxVerifyRounds: 0,
        needsFrontend: false,
        skipSpecReview: settings.skipSpecReview,
      }
      const move = await settle(nextMove(answer, at), at, { attempt, feedback })
      if (move.type === 'cancel') throw new GoalEnded(move.reason)
      if (move.type === 'resume') attempts[stage] = attempt - 1
      else if (move.type === 'again') {
        feedback = move.feedback
        if (move.stage === 'implement') await mendWhole(stage, feedback)
      } else return mark(stage, 'passed')
    }
  }

  /** What a person wants changed in the whole is a new task by now; once it is integrated, the whole is judged anew. */
  async function mendWhole(askedAt: GoalStage, comment: string): Promise<void> {
    await runToPassed('review')
    if (askedAt === 'merge') await runToPassed('audit', comment)
  }

  /** Asks people until the move is one that the pipeline can make by itself. */
  async function settle(
    first: Move,
    at: Circumstances,
    { attempt, feedback }: { attempt: number; feedback: string },
  ): Promise<Move> {
    let move = first
    for (;;) {
      if (move.type === 'ask') {
        const { kind, reason } = move
        move = nextMove(await ask(kind, reason, { stage: at.stage, attempt }), { ...at, kind })
      } else if (move.type === 'attention') move = await attention(move, attempt, feedback)
      else break
    }
    if (move.type === 'go' && at.stage === 'spec' && tasks.length === 0)
      tasks = await insist('spec', () => brief().approveSpec({ goalId }))
    // an approved merge review sends the merge round again; audit goes on to it by itself
    if (move.type === 'go' && move.to === at.stage)
      return { type: 'again', stage: at.stage, feedback: '' }
    return move
  }

  async function attention(
    move: Extract<Move, { type: 'attention' }>,
    attempt: number,
    feedback: string,
  ): Promise<Move> {
    const report = { goalId, taskId: null, stage: move.stage, attempt }
    mark(move.stage, `needs attention: ${move.reason}`)
    await controls.attention(report, move.reason)
    return afterAttention(move, feedback)
  }

  function insist<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    return controls.insist({ goalId, taskId: null, stage, attempt: attempts[stage] ?? 1 }, work)
  }

  async function agent(stage: AgentStage, attempt: number, feedback: string): Promise<Answer> {
    return toAnswer(
      await controls.runStage({ goalId, taskId: null, stage, attempt, feedback }, () =>
        adapterOf(stage),
      ),
    )
  }

  async function merge(attempt: number): Promise<Answer> {
    for (let looks = 0; ; looks += 1) {
      await controls.unpaused()
      const result = await insist('merge', () => core.mergeGoal({ goalId, attempt }))
      switch (result.outcome) {
        case 'held':
          await controls.newsFromPerson(looks)
          break
        case 'merged':
          return { type: 'passed' }
        case 'moved':
          return { type: 'moved', summary: result.summary }
        case 'blocked':
          return { type: 'failed', reason: result.reason }
        default:
          return result satisfies never
      }
    }
  }

  async function ask(
    kind: ReviewKind,
    reason: string,
    from: { stage: Stage; attempt: number },
  ): Promise<Answer> {
    const stage: Stage = kind === 'budget' ? from.stage : kind === 'spec' ? 'spec' : 'merge'
    const number =
      kind === 'merge' ? ++mergeReviews : kind === 'budget' ? ++budgetReviews : from.attempt
    mark(stage, `waits for a ${kind} review`)
    const review = await insist(stage, () =>
      brief().openReview({ goalId, taskId: null, kind, attempt: number, stage, reason }),
    )
    if (!review.decided) markSearch({ ...found(stage), pendingReview: true })
    const settled = await controls.decision(review)
    if (settled.tasks.length > 0) tasks = settled.tasks
    return { type: 'decided', decision: settled.decision, comment: settled.comment }
  }

  /** Tasks run as soon as those they depend on are on the goal's branch, and each once. */
  async function runTasks(): Promise<void> {
    tellTasks()
    find('implement')
    const run = (task: NewTask): Promise<void> => {
      const known = taskResults.get(task.taskId)
      if (known) return known
      const needs = tasks.filter((other) => task.dependsOn.includes(other.taskId))
      const result = Promise.all(needs.map(run)).then(() => runTask(task))
      taskResults.set(task.taskId, result)
      return result
    }
    await Promise.all(tasks.map(run))
  }

  /** A child that ends in an unexpected way asks for a person, and starts again from Postgres and git when told to. */
  async function runTask(task: NewTask): Promise<void> {
    const outcome = await insist('implement', () => runChild(task))
    if (outcome.outcome === 'rejected') throw new GoalEnded(outcome.reason)
    tasksDone += 1
    tellTasks()
  }

  async function runChild(task: NewTask): Promise<TaskOutcome> {
    await controls.unpaused()
    const child = await startChild(taskWorkflow, {
      workflowId: taskWorkflowId(task.taskId),
      args: [
        {
          v: 1,
          goalId,
          taskId: task.taskId,
          title: task.title,
          maxVerifyRounds: settings.maxVerifyRounds,
          adapters: adaptersFor(task),
        },
      ],
      parentClosePolicy: 'REQUEST_CANCEL',
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
      staticSummary: task.title.slice(0, 200),
    })
    children.set(task.taskId, child)
    if (controls.isPaused()) await pauseTask(task.taskId) // paused while it was started
    try {
      return await child.result()
    } finally {
      children.delete(task.taskId)
    }
  }

  /** A task that a person gave to another agent is written by that one. */
  function adaptersFor({ adapter }: NewTask): StageAdapters {
    if (adapter === undefined) return adapters()
    return { ...adapters(), implement: adapter, frontend: adapter }
  }

  function mark(stage: Stage, state: string): void {
    table.set(stage, state)
    find(stage)
  }

  function tellTasks(): void {
    table.set('tasks', `${tasksDone} of ${tasks.length} done`)
  }

  function find(stage: Stage): void {
    markSearch({ ...found(stage), pendingReview: false })
  }

  function found(stage: Stage) {
    return { status: controls.status(), stage, adapter: adapterOf(stage) }
  }

  function adapters(): StageAdapters {
    return controls.adapters() ?? settings.adapters
  }

  function adapterOf(stage: Stage): string {
    return stage in adapters() ? adapters()[stage as AgentStage] : 'dispatch'
  }
}
