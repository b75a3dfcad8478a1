import { goalStream, shortId } from '../contracts/ids.ts'
import type {
  AuditFinding,
  AuditOutput,
  BuiltOutput,
  ImplementOutput,
  SecuritySpecOutput,
  SpecOutput,
  TestSpecOutput,
  VerifyOutput,
} from '../contracts/outputs.ts'
import type { CheckResult } from '../contracts/schemas.ts'
import { someOf } from '../contracts/some-of.ts'
import type { Stage } from '../contracts/stages.ts'
import { storable } from '../contracts/storable.ts'
import type { Tx } from '../db/connect.ts'
import { contentHash } from '../db/content-hash.ts'
import type { EmittedEvent } from '../db/events.ts'
import { type GoalFacts, loadFacts, type TaskRow } from '../db/facts.ts'
import { gitChangesSince } from '../db/git-changes.ts'
import { changeStage, isAnswered, type StageKey } from '../db/stages.ts'
import { counted } from '../domain/blast-radius.ts'
import { withDistinctIds } from '../domain/spec-items.ts'
import { within } from '../domain/within.ts'
import type { CommitResult } from '../git/commit.ts'
import { GitProblem } from '../git/problem.ts'
import { endOfCheck, failedChecks } from './checks.ts'
import type { ActivityDeps } from './deps.ts'
import { lookAtGitSettings } from './git-settings.ts'
import type { StageResult } from './types.ts'
import { releaseScratch, tellSalvaged, type Workspace } from './workspace.ts'

interface Concluded {
  key: StageKey
  facts: GoalFacts
  workspace: Workspace
  checks: CheckResult[] | undefined
  output: unknown
  /** The agent that answered. */
  adapter: string
}

const SUMMARY = 2000
const NAMES_KEPT = 1000
/** Written from the spec without a person who reviews them. */
const OTHER_SPECS: readonly Stage[] = ['test_spec', 'security_spec']
const UI_FILE = /\.(css|scss|less|html|vue|svelte|tsx|jsx)$/i

interface Conclusion {
  result: StageResult
  /** As it is kept: the agent's, and what Dispatch saw besides. */
  output: unknown
}

/** Turns a validated answer into facts: specs, commits, verdicts, findings. Again, it does the same. */
export async function conclude(deps: ActivityDeps, found: Concluded): Promise<StageResult> {
  const work = { ...found, output: storable(found.output), checks: storable(found.checks) }
  const { key, checks } = work
  const { result, output } = await concludeStage(deps, work)
  await deps.database.change(async (tx, emit) => {
    if (await isAnswered(tx, key)) return
    await changeStage(tx, emit, {
      key,
      change: { status: 'running', output, ...(checks ? { checks } : {}) },
    })
  })
  await releaseScratch(deps, work.facts, key)
  return result
}

async function concludeStage(deps: ActivityDeps, work: Concluded): Promise<Conclusion> {
  const { stage } = work.key
  await lookAtGitSettings(deps, work.facts.project)
  if (stage === 'implement' || stage === 'frontend')
    return commitWork(deps, work, work.output as ImplementOutput)
  return { result: await judgeOrStore(deps, work), output: work.output }
}

async function judgeOrStore(deps: ActivityDeps, work: Concluded): Promise<StageResult> {
  switch (work.key.stage) {
    case 'spec':
      return storeSpec(deps, work, {
        role: 'spec',
        status: 'draft',
        content: work.output as SpecOutput,
      })
    case 'test_spec':
      return storeSpec(deps, work, {
        role: 'test',
        status: 'approved',
        content: work.output as TestSpecOutput,
      })
    case 'security_spec':
      return storeSpec(deps, work, {
        role: 'security',
        status: 'approved',
        content: work.output as SecuritySpecOutput,
      })
    case 'verify':
      return judge(deps, work, work.output as VerifyOutput)
    case 'audit': {
      const findings = findingsOf(work.checks ?? [], work.output as AuditOutput)
      return audited([...findings, ...(await spoilt(deps, work))])
    }
    default:
      throw new Error(`no agent works in stage ${work.key.stage}`)
  }
}

type NewSpec = { status: string } & (
  | { role: 'spec'; content: SpecOutput }
  | { role: 'test'; content: TestSpecOutput }
  | { role: 'security'; content: SecuritySpecOutput }
)

/** A new version; older ones of the role are superseded. The same content again is the same version. */
async function storeSpec(
  deps: ActivityDeps,
  { key, adapter }: Concluded,
  spec: NewSpec,
): Promise<StageResult> {
  await deps.database.change(async (tx) => {
    // test and security spec come side by side: the second one to be stored sees the first
    await tx('goals').where({ id: key.goalId }).forUpdate().first('id')
    if (await isAnswered(tx, key)) return // since then a person may have put another one in its place
    const content = await distinctFrom(tx, key.goalId, spec)
    const hash = contentHash(content)
    const latest = await tx('specs')
      .where({ goal_id: key.goalId, role: spec.role })
      .orderBy('version', 'desc')
      .first()
    if (latest?.hash === hash) return
    await tx('specs')
      .where({ goal_id: key.goalId, role: spec.role })
      .update({ status: 'superseded' })
    await tx('specs').insert({
      goal_id: key.goalId,
      role: spec.role,
      version: (latest?.version ?? 0) + 1,
      status: spec.status,
      content: JSON.stringify(content),
      hash,
      created_by: `agent:${adapter}`,
    })
  })
  return { outcome: 'passed' }
}

/** The spec's content, with names of their own for items that are called as one of the goal's other specs is. */
async function distinctFrom(tx: Tx, goalId: string, spec: NewSpec): Promise<NewSpec['content']> {
  const { spec: main, testSpec, securitySpec } = await loadFacts(tx, goalId)
  const ids = (...lists: ({ id: string }[] | undefined)[]) =>
    new Set(lists.flatMap((list) => list ?? []).map(({ id }) => id))
  const inSpec = [main?.content.requirements, main?.content.acceptance]
  switch (spec.role) {
    case 'spec':
      return spec.content
    case 'test': {
      const taken = ids(...inSpec, securitySpec?.content.items)
      return { cases: withDistinctIds(spec.content.cases, { taken, prefix: 'test' }) }
    }
    case 'security': {
      const taken = ids(...inSpec, testSpec?.content.cases)
      return { items: withDistinctIds(spec.content.items, { taken, prefix: 'sec' }) }
    }
    default:
      return spec satisfies never
  }
}

/** What is in no commit though the agent left it, in words; nothing when there is nothing. Names as git lists them. */
export function leftOutWords({
  leftOut = [],
  closed = [],
}: Pick<BuiltOutput, 'leftOut' | 'closed'>): string[] {
  const words = (why: string, which: readonly string[], mend: string) =>
    which.length > 0 ? [`Not in the commit, because ${why}: ${someOf(which)}. ${mend}.`] : []
  const [folders, files] = [leftOut.filter(isFolder), leftOut.filter((name) => !isFolder(name))]
  return [
    ...words(
      'your own excludes (.git/info/exclude or your global gitignore) name them',
      files,
      "A line such as !name in the project's .gitignore takes a file in",
    ),
    ...words(
      'they are git repositories of their own',
      folders,
      'Without the .git in such a folder (and, where the folder is committed, after git rm --cached) its files are taken in',
    ),
    ...words('git cannot open them', closed, 'What may be read (chmod u+rx) is taken in'),
  ]
}

const isFolder = (name: string) => name.endsWith('/')

/** Commits what the agent left. */
async function commitWork(
  deps: ActivityDeps,
  work: Concluded,
  answer: ImplementOutput,
): Promise<Conclusion> {
  const { workspace } = work
  const { task, project, goal } = work.facts
  if (!task) throw new Error('a writing stage needs a task')
  const onSalvaged = tellSalvaged(deps, goal.id)
  const at = { projectId: project.id, worktreePath: workspace.path, onSalvaged }
  const trailers = {
    'Dispatch-Goal': shortId('goal', goal.number),
    'Dispatch-Task': shortId('task', task.number),
  }
  const done = await unlessRefused(deps.git.commitAll({ ...at, message: task.title, trailers }))
  if ('outcome' in done) return { result: done, output: answer }
  const kept = (names: readonly string[]) => names.slice(0, NAMES_KEPT)
  const undone =
    done.undone.length > 0
      ? [`Takes out again what other tasks did in ${someOf(done.undone)}, which was merged in.`]
      : []
  const output: BuiltOutput = {
    ...{ ...answer, deviations: [...answer.deviations, ...undone] },
    ...{ leftOut: kept(done.leftOut), closed: kept(done.closed) },
  }
  return { result: await publishWork(deps, work, { task, done, output }), output }
}

/** Brings the head into the clean hub and records what changed. */
async function publishWork(
  deps: ActivityDeps,
  { key, facts: { project, goal }, workspace }: Concluded,
  { task, done, output }: { task: TaskRow; done: CommitResult; output: BuiltOutput },
): Promise<StageResult> {
  if (done.unresolved.length > 0)
    return {
      outcome: 'findings',
      summary: `Conflict markers were left in ${done.unresolved.join(', ')}.`,
    }
  const missing = leftOutWords(done)
  if (!done.changed && task.role !== 'frontend') {
    const advice = 'Read its transcript, then retry, or cancel the goal.'
    const what = missing.join(' ') || 'The agent ended without changing anything.'
    return { outcome: 'failed', reason: storable(`${what} ${advice}`.slice(0, SUMMARY)) }
  }
  const published = await unlessRefused(
    deps.git.publish({ projectId: project.id, key: workspace.key, head: done.head }),
  )
  if ('outcome' in published) return published
  await deps.database.change(async (tx, emit) => {
    await tx('tasks').where({ id: task.id }).update({ head: done.head, updated_at: tx.fn.now() })
    if (task.head === done.head) return
    tell(emit, key, {
      type: 'task.files',
      data: {
        goalId: goal.id,
        taskId: task.id,
        head: done.head,
        files: done.files.slice(0, NAMES_KEPT),
      },
    })
    for (const text of [...output.deviations, ...missing])
      tell(emit, key, { type: 'task.deviation', data: { goalId: goal.id, taskId: task.id, text } })
  })
  const frontend =
    key.stage === 'implement' &&
    (task.role === 'frontend' || done.files.some((file) => UI_FILE.test(file)))
  return { outcome: 'passed', frontend }
}

/** What git does not take in is the agent's to make again. */
async function unlessRefused<T extends object>(taking: Promise<T>): Promise<T | StageResult> {
  try {
    return await taking
  } catch (error) {
    if (!(error instanceof GitProblem && error.code === 'unsafe_commit')) throw error
    return { outcome: 'findings', summary: storable(error.message.slice(0, SUMMARY)) }
  }
}

function tell(
  emit: (event: EmittedEvent) => void,
  key: StageKey,
  body: Pick<
    Extract<EmittedEvent, { type: 'task.files' | 'task.deviation' | 'task.verified' }>,
    'type' | 'data'
  >,
): void {
  emit({ ...body, stream: goalStream(key.goalId), actor: 'dispatch' } as EmittedEvent)
}

/** What verify holds against the work: failed checks and failed items, in words with their evidence. */
export function problemsOf(checks: readonly CheckResult[], output: VerifyOutput): string[] {
  return [
    ...failedChecks(checks).map(
      (check) =>
        `${check.name} (${check.command}) ${endOfCheck(check)}:\n${check.output.slice(-800)}`,
    ),
    ...output.items
      .filter((item) => item.result === 'fail')
      .map(
        (item) =>
          `${item.ref}: ${item.evidence}${item.file ? ` (${item.file}${item.line ? `:${item.line}` : ''})` : ''}`,
      ),
  ]
}

/** All that whoever mends the work is told of what verify found: something of each problem, however many there are. */
export function toldOfProblems(problems: readonly string[]): string {
  const found = `Verify found ${problems.length} problem${problems.length === 1 ? '' : 's'}.`
  return [found, ...within(problems, SUMMARY - found.length - problems.length)].join('\n')
}

/** A failed check or item goes back to the implementing agent with its evidence. */
async function judge(
  deps: ActivityDeps,
  { key, facts, checks = [] }: Concluded,
  output: VerifyOutput,
): Promise<StageResult> {
  const failed = problemsOf(checks, output)
  const count = (result: string) => output.items.filter((item) => item.result === result).length
  await deps.database.change(async (tx: Tx, emit) => {
    const data = {
      goalId: key.goalId,
      taskId: facts.task?.id ?? '',
      pass: count('pass'),
      warn: count('warn'),
      fail: failed.length,
    }
    const told = await tx('stage_attempts')
      .where({ goal_id: key.goalId, task_id: key.taskId, stage: key.stage, attempt: key.attempt })
      .whereNotNull('output')
      .first('id')
    if (!told) tell(emit, key, { type: 'task.verified', data })
  })
  if (failed.length === 0) return { outcome: 'passed' }
  return { outcome: 'findings', summary: storable(toldOfProblems(failed)) }
}

/** What is held against the whole: checks that fail on it, though they passed on each task, and what the agent found. */
export function findingsOf(checks: readonly CheckResult[], output: AuditOutput): AuditFinding[] {
  const failed = failedChecks(checks).map(
    (check): AuditFinding => ({
      severity: 'high',
      title: `${check.name} fails on the whole goal`,
      detail: `${check.command} ${endOfCheck(check)}:\n${check.output.slice(-2000)}`,
    }),
  )
  const unrun = checks.filter(({ notRun }) => notRun !== undefined)
  const untested = unrun.map(
    (check): AuditFinding => ({
      // the review of the task that took a check away asked a person
      severity: check.notRun === 'gone' ? 'low' : 'high',
      title: `${check.name} ${endOfCheck(check)}`,
      detail: check.command,
    }),
  )
  return [...failed, ...untested, ...output.findings]
}

/** Git settings that changed where no review shows it: while the audit's agent worked, or in the stages before the tasks. */
async function spoilt(deps: ActivityDeps, { key, facts }: Concluded): Promise<AuditFinding[]> {
  const { goal } = facts
  const stages = goal.profile.skipSpecReview ? (['spec', ...OTHER_SPECS] as const) : OTHER_SPECS
  const since = (of: { stages: readonly Stage[]; beforeTasks?: boolean }) =>
    gitChangesSince(deps.database.knex, goal, { task_id: null, ...of })
  const before = await since({ stages, beforeTasks: true })
  const changes = new Set([...before, ...(await since({ stages: [key.stage] }))])
  return [...changes].map((title) => ({ severity: 'high', title, detail: '' }))
}

/** High and critical findings ask a person before the merge; the others are shown with it. */
function audited(findings: readonly AuditFinding[]): StageResult {
  const grave = findings.filter(({ severity }) => severity === 'high' || severity === 'critical')
  if (grave.length === 0) return { outcome: 'passed' }
  const list = grave.map((finding) => `${finding.severity}: ${finding.title}`).join('; ')
  return {
    outcome: 'findings',
    summary: storable(
      `The audit found ${counted(grave.length, 'grave finding')}: ${list}`.slice(0, SUMMARY),
    ),
  }
}
