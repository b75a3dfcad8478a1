import { formatTokens, formatUsedTokens } from '../../contracts/figures.ts'
import type { Goal } from '../../contracts/schemas.ts'
import { stageRows } from '../../contracts/stage-rows.ts'
import { STAGE_TITLES } from '../../contracts/stages.ts'
import { defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { cost, look, statusCell, when } from '../format.ts'
import type { Io } from '../io.ts'
import { goalId } from '../target.ts'
import { oneLine } from '../terminal-text.ts'

export const goalShow = defineCommand({
  name: 'goal show',
  summary: 'Show a goal: its stages, tasks and what waits for you',
  prints: { replies: ['getGoal'] },
  args: { id: { required: true, help: 'a goal, such as G-12', complete: 'goal' } },
  options: {},
  examples: ['dispatch goal show G-12'],
  async run({ id }, deps, io) {
    const goal = await deps.call('getGoal', { params: { id: goalId(id) } })
    if (io.json) io.document(goal)
    else printGoal(goal, io)
    return EXIT.ok
  },
})

function printGoal(goal: Goal, io: Io) {
  io.print(`${io.paint('bold', goal.shortId)} ${oneLine(goal.title)}`)
  const budget = goal.goalBudget === 0 ? '' : ` of ${formatTokens(goal.goalBudget)}`
  const facts: [string, string | null][] = [
    ['status', `${look(goal.status).word}, stage ${STAGE_TITLES[goal.stage]}`],
    ['reason', goal.reason],
    ['project', `${goal.projectName}, into ${goal.targetBranch}`],
    ['merged', goal.mergedCommit],
    ['profile', goal.profile.name],
    ['usage', `${formatUsedTokens(goal.usage)} tokens${budget}, cost ${cost(goal.usage)}`],
    ['filed', when(goal.createdAt, io.tty)],
    ['workflow', goal.workflowUrl],
    ...goal.salvaged.map(({ repository, ref }): [string, string] => [
      'saved',
      `git fetch ${repository} ${ref}`,
    ]),
  ]
  for (const [name, value] of facts)
    if (value)
      io.print(
        // a reason may quote what a program said in several lines
        `${io.paint('dim', name.padEnd(9))}${name === 'reason' ? io.clean(value) : oneLine(value)}`,
      )
  section(io, 'Stages')
  io.table(
    [
      { title: 'STAGE' },
      { title: 'STATUS' },
      { title: 'TRY' },
      { title: 'TOKENS' },
      { title: 'AGENT' },
      { title: 'WHY', flexible: true },
    ],
    stageRows(goal).map((row) => [
      STAGE_TITLES[row.stage],
      statusCell(row.status, io.tty),
      row.attempt > 0 ? String(row.attempt) : '',
      formatUsedTokens(row.used),
      row.adapters.join(', '),
      row.reason ?? '',
    ]),
  )
  if (goal.stages.some(({ resumesAt }) => resumesAt !== null))
    io.note(`It waits for a provider. Try now: dispatch goal retry ${goal.shortId}`)
  if (goal.tasks.length > 0) {
    section(io, 'Tasks')
    io.table(
      [
        { title: 'TASK' },
        { title: 'STATUS' },
        { title: 'STAGE' },
        { title: 'RISK' },
        { title: 'TITLE', flexible: true },
      ],
      goal.tasks.map((task) => [
        task.shortId,
        statusCell(task.idle ?? task.status, io.tty),
        task.stage ? STAGE_TITLES[task.stage] : '',
        task.blastRadius ?? '',
        task.title,
      ]),
    )
  }
  const pending = goal.reviews.filter(({ status }) => status === 'pending')
  if (pending.length > 0) section(io, 'Waiting for you')
  for (const review of pending)
    io.print(`${review.shortId} ${io.clean(review.title)} (dispatch approve ${review.shortId})`)
  if (goal.status === 'paused') io.note(`Go on: dispatch goal resume ${goal.shortId}`)
  if (goal.status === 'needs_attention')
    io.note(
      `Try again: dispatch goal retry ${goal.shortId}; or end it: dispatch goal cancel ${goal.shortId}`,
    )
}

function section(io: Io, title: string) {
  io.print()
  io.print(io.paint('bold', title))
}
