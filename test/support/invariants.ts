import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { taggedProcesses } from '../../adapters/process-tree.ts'
import type { HomePaths } from '../../config/home.ts'
import type { RunEvent, RunSpec } from '../../contracts/agent.ts'
import { goalWorkflowId, shortId, taskWorkflowId } from '../../contracts/ids.ts'
import type { Database } from '../../db/connect.ts'
import { connectTemporal } from '../../temporal/connection.ts'
import type { Repository } from './own-stack.ts'

export interface Checked {
  home: HomePaths
  database: Database
  temporalAddress: string
  repository: Repository
  goalId: string
}

// biome-ignore lint/suspicious/noExplicitAny: rows as they are in Postgres
type Row = any

/**
 * What must hold of a goal that was completed, whatever was killed on its way. Reads only. Returns every broken
 * invariant in words; none is well.
 */
export async function brokenInvariants(at: Checked): Promise<string[]> {
  const broken: string[] = []
  const expect = (holds: boolean, what: string) => {
    if (!holds) broken.push(what)
  }
  const facts = await load(at).catch((error: Error) => error)
  if (facts instanceof Error) return [`the goal cannot be read: ${facts.message}`]
  expect(
    facts.goal.status === 'completed',
    `the goal is ${facts.goal.status}: ${facts.goal.reason}`,
  )
  const checks = [
    merged,
    approvedIsMerged,
    repositoryKept,
    decisions,
    events,
    runs,
    transcripts,
    leftovers,
    temporalAgrees,
  ]
  for (const check of checks) {
    try {
      await check(at, facts, expect)
    } catch (error) {
      broken.push(`${check.name}: ${(error as Error).message}`)
    }
  }
  return broken
}

type Expect = (holds: boolean, what: string) => void

interface Facts {
  goal: Row
  tasks: Row[]
  runs: Row[]
  reviews: Row[]
}

async function load({ database: { knex }, goalId }: Checked): Promise<Facts> {
  return {
    goal: await knex('goals').where({ id: goalId }).first(),
    tasks: await knex('tasks').where({ goal_id: goalId }).orderBy('number'),
    runs: await knex('agent_runs').where({ goal_id: goalId }).orderBy('number'),
    reviews: await knex('reviews').where({ goal_id: goalId }).orderBy('number'),
  }
}

/** I2: one merge on the target, one commit per task, and the sample's own tests pass in the merged tree. */
function merged(
  { repository: { git, path, start } }: Checked,
  { goal, tasks }: Facts,
  expect: Expect,
) {
  const name = shortId('goal', goal.number)
  const log = git(
    'log',
    '--format=%H %(trailers:key=Dispatch-Merge-Key,valueonly,separator=%x2C)|%(trailers:key=Dispatch-Goal,valueonly,separator=%x2C)|%(trailers:key=Dispatch-Task,valueonly,separator=%x2C)',
    `${start}..main`,
  )
  const commits = log.split('\n').map((line) => {
    const [commit = '', goalOf, task] = line.split('|')
    return { sha: commit.split(' ')[0], key: commit.split(' ')[1], goal: goalOf, task }
  })
  const merges = commits.filter((c) => c.goal === name && !c.task)
  expect(merges.length === 1, `${merges.length} merges of ${name} on the target`)
  expect(
    merges[0]?.sha === goal.merged_commit,
    `the merge is ${merges[0]?.sha}, the goal says ${goal.merged_commit}`,
  )
  const first = git('rev-list', '--first-parent', `${start}..main`).split('\n')
  expect(
    first.length === 1 && first[0] === goal.merged_commit,
    `the target got ${first.length} commits`,
  )
  for (const task of tasks) {
    const own = commits.filter((c) => c.task === shortId('task', task.number))
    expect(own.length === 1, `${own.length} commits of ${shortId('task', task.number)}`)
    expect(
      own[0]?.sha === task.merged_commit,
      `the commit of the task is ${own[0]?.sha}, its row says ${task.merged_commit}`,
    )
  }
  expect(
    commits.length === tasks.length + 1,
    `${commits.length} commits for ${tasks.length} tasks and a merge`,
  )
  const copy = mkdtempSync(join(tmpdir(), 'dispatch-merged-'))
  try {
    execFileSync('git', ['clone', '-q', '--no-hardlinks', path, copy])
    execFileSync(process.execPath, ['--test'], {
      cwd: copy,
      stdio: 'pipe',
      env: { PATH: process.env['PATH'] },
    })
  } catch (error) {
    expect(
      false,
      `the tests fail in the merged tree: ${String((error as { stdout?: Buffer }).stdout).slice(-300)}`,
    )
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/** I3, I4: what is on the target is what was approved, task by task, and each has its decision. */
function approvedIsMerged(
  { home, repository: { git, path } }: Checked,
  { goal, tasks, reviews }: Facts,
  expect: Expect,
) {
  const tree = (commit: string) => git('rev-parse', `${commit}^{tree}`)
  expect(
    tree(goal.merged_commit) === tree(`${goal.merged_commit}^2`),
    'the merged tree is not the tree of the goal',
  )
  const clean = join(home.hubs, goal.project_id, 'clean.git')
  for (const task of tasks) {
    // the last one: approved work that had to be brought up to date was judged again
    const review = reviews.findLast(
      (r) => r.task_id === task.id && r.kind === 'task' && r.decision === 'approve',
    )
    expect(review !== undefined, `${shortId('task', task.number)} was merged without an approval`)
    if (!review) continue
    const seen = patchId(clean, review.base, review.head)
    expect(
      seen === patchId(path, `${task.merged_commit}^`, task.merged_commit),
      `${shortId('task', task.number)}: the merged change is not the approved one`,
    )
  }
}

function patchId(gitDir: string, from: string, to: string): string {
  const diff = execFileSync('git', [
    '-C',
    gitDir,
    'diff',
    '--no-ext-diff',
    '--no-textconv',
    '--full-index',
    '--binary',
    from,
    to,
  ])
  return (
    execFileSync('git', ['patch-id', '--stable'], { input: diff, encoding: 'utf8' }).split(
      ' ',
    )[0] ?? ''
  )
}

/** I12: the person's repository is whole, and what was not committed is as it was, byte by byte. */
function repositoryKept({ repository }: Checked, { goal }: Facts, expect: Expect) {
  const { git, path, edited } = repository
  expect(git('symbolic-ref', 'HEAD') === 'refs/heads/main', 'HEAD moved to another branch')
  expect(git('rev-parse', 'main') === goal.merged_commit, 'main is not at the merge')
  expect(
    readFileSync(join(path, edited.file), 'utf8') === edited.content,
    'the edit that was not committed changed',
  )
  const status = git('status', '--porcelain')
  expect(status === `M ${edited.file}`, `git status says ${JSON.stringify(status)}`)
  expect(
    git('for-each-ref', '--format=%(refname)') === 'refs/heads/main',
    'the repository has refs that were not there',
  )
  expect(
    git('worktree', 'list', '--porcelain')
      .split('\n')
      .filter((line) => line.startsWith('worktree ')).length === 1,
    'the repository has worktrees that were not there',
  )
  expect(!existsSync(join(path, '.git', 'index.lock')), 'index.lock is left')
  git('fsck', '--strict', '--no-dangling')
}

/** I5: at most one decision per review, told once, and nothing waits any more. */
async function decisions(
  { database: { knex }, goalId }: Checked,
  { reviews, tasks }: Facts,
  expect: Expect,
) {
  const told: Row[] = await knex('events').where({
    stream: `goal/${goalId}`,
    type: 'review.decided',
  })
  for (const review of reviews) {
    const name = shortId('review', review.number)
    expect(review.status !== 'pending', `${name} still waits`)
    const count = told.filter((event) => event.data.reviewId === review.id).length
    expect(count === 1, `${count} decisions were told of ${name}`)
  }
  const workflows = [goalWorkflowId(goalId), ...tasks.map((task) => taskWorkflowId(task.id))]
  const outbox: Row[] = await knex('outbox').whereNull('done_at').whereIn('workflow_id', workflows)
  expect(outbox.length === 0, `${outbox.length} messages were never delivered`)
}

/** I6: no hole and no repeat, in the goal's stream and in the feed. */
async function events({ database: { knex }, goalId }: Checked, _facts: Facts, expect: Expect) {
  const { rows } = await knex.raw(
    `select stream, count(*)::int n, min(seq)::int low, max(seq)::int high from events group by stream
     union all select 'feed', count(*)::int, min(feed_seq)::int, max(feed_seq)::int from events`,
  )
  for (const { stream, n, low, high } of rows as Row[])
    expect(low === 1 && high === n, `stream ${stream} has ${n} events from ${low} to ${high}`)
  expect(
    rows.some((row: Row) => row.stream === `goal/${goalId}`),
    'the goal has no events',
  )
}

/** No run was started twice: every start of a session is a run of its own, and runs of one session follow each other. */
function runs({ home }: Checked, { runs: all }: Facts, expect: Expect) {
  const live = all.filter((run) => run.status === 'running')
  expect(live.length === 0, `${live.length} runs still count as running`)
  const sessions = new Map<string, Row[]>()
  for (const run of all) {
    const spec = readJson<RunSpec>(join(home.runs, run.id, 'spec.json'))
    if (!spec) continue
    const session = spec.resumeSessionId ?? spec.newSessionId
    sessions.set(session, [...(sessions.get(session) ?? []), run])
  }
  for (const [session, segments] of sessions) {
    const file = readJson<{ starts: number }>(
      join(home.agents, 'demo', 'sessions', `${session}.json`),
    )
    const starts = file?.starts ?? 0
    expect(
      starts <= segments.length,
      `session ${session} was started ${starts} times by ${segments.length} runs`,
    )
    for (const [index, run] of segments.entries()) {
      const before = segments[index - 1]
      if (!before) continue
      expect(
        before.ended_at !== null && before.ended_at <= run.started_at,
        `run A-${run.number} began before A-${before.number} had ended`,
      )
    }
  }
}

/** I7: the stored transcript of each run is 1..n and is what the runner wrote. */
async function transcripts(
  { home, database: { knex } }: Checked,
  { runs: all }: Facts,
  expect: Expect,
) {
  for (const run of all) {
    const name = `transcript of A-${run.number} (${run.stage}, ${run.status})`
    const stored: Row[] = await knex('transcripts').where({ run_id: run.id }).orderBy('seq')
    expect(
      stored.every((row, index) => row.seq === index + 1),
      `${name} is not 1..n`,
    )
    const file = join(home.runs, run.id, 'events.ndjson')
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
    expect(
      lines.length === stored.length,
      `${name}: ${stored.length} entries are stored, the runner wrote ${lines.length}`,
    )
    for (const [index, line] of lines.entries()) {
      const { seq, at: _at, type, ...content } = JSON.parse(line) as RunEvent
      const row = stored[index]
      if (!row) break
      const same =
        row.seq === seq && row.kind === type && canonical(row.content) === canonical(content)
      if (!same) {
        expect(false, `${name} differs from the runner's file at ${seq}`)
        break
      }
    }
  }
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => a.localeCompare(b)))
      : inner,
  )

/** I10, I11, I13: no process, lease, claimed worktree or branch of the goal is left. */
async function leftovers(
  { home, database: { knex }, goalId }: Checked,
  { goal, runs: all }: Facts,
  expect: Expect,
) {
  const ids = new Set(all.map((run) => run.id))
  const processes = taggedProcesses().filter((found) => ids.has(found.runId))
  expect(
    processes.length === 0,
    `processes of its runs are left: ${processes.map((found) => found.pid).join(', ')}`,
  )
  const leases: Row[] = await knex('run_leases')
    .where({ goal_id: goalId })
    .whereIn('state', ['held', 'waiting'])
  expect(
    leases.length === 0,
    `leases are left: ${leases.map((lease) => `${lease.id} ${lease.state}`).join(', ')}`,
  )
  const folder = join(home.worktrees, goal.project_id)
  const claims = readdirSync(folder).filter((name) => name.endsWith('.claim.json'))
  expect(
    claims.length === 0,
    `worktrees are still claimed: ${claims.map((name) => readFileSync(join(folder, name), 'utf8')).join(' ')}`,
  )
  const sandbox = join(home.hubs, goal.project_id, 'sandbox.git')
  const branches = execFileSync(
    'git',
    ['--git-dir', sandbox, 'for-each-ref', '--format=%(refname:short)', 'refs/heads'],
    { encoding: 'utf8' },
  )
    .split('\n')
    .filter(Boolean)
  expect(branches.length === 0, `agents' branches are left: ${branches.join(', ')}`)
  for (const run of all)
    expect(
      !existsSync(join(home.runs, run.id, 'tmp')),
      `the temp folder of A-${run.number} is left`,
    )
}

/** I9: Temporal and Postgres tell the same. */
async function temporalAgrees(
  { temporalAddress, goalId }: Checked,
  { tasks }: Facts,
  expect: Expect,
) {
  const connection = await connectTemporal({ address: temporalAddress })
  try {
    for (const workflowId of [
      goalWorkflowId(goalId),
      ...tasks.map((task) => taskWorkflowId(task.id)),
    ]) {
      const { workflowExecutionInfo: info } =
        await connection.workflowService.describeWorkflowExecution({
          namespace: 'default',
          execution: { workflowId },
        })
      // 2 is COMPLETED in temporal.api.enums.v1.WorkflowExecutionStatus
      expect(info?.status === 2, `${workflowId} has the status ${info?.status} in Temporal`)
    }
  } finally {
    await connection.close()
  }
}

function readJson<T>(path: string): T | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : undefined
}
