import { formatUsedTokens } from '../../contracts/figures.ts'
import { GOAL_STATUSES, type GoalStatus, STAGE_TITLES } from '../../contracts/stages.ts'
import { defineCommand, PAGE_OPTIONS } from '../command.ts'
import { statusCell, when } from '../format.ts'
import { pageQuery, printPage } from '../page.ts'
import { projectNamed } from '../target.ts'

export const goals = defineCommand({
  name: 'goals',
  summary: 'List goals, newest first',
  prints: { replies: ['listGoals'] },
  args: {},
  options: {
    status: { type: 'string', help: 'only these', choices: GOAL_STATUSES },
    project: { type: 'string', help: 'only of this project (id, name or path)' },
    ...PAGE_OPTIONS,
  },
  examples: ['dispatch goals --status active', 'dispatch goals --json'],
  async run({ status, project, limit, cursor }, deps, io) {
    const page = await deps.call('listGoals', {
      query: {
        ...pageQuery({ limit, cursor }),
        ...(status ? { status: status as GoalStatus } : {}),
        ...(project ? { project: projectNamed(project, deps.cwd) } : {}),
      },
    })
    return printPage(io, page, {
      none: 'No goals. File one: dispatch goal "…"',
      columns: [
        { title: 'GOAL' },
        { title: 'STATUS' },
        { title: 'STAGE' },
        { title: 'REVIEWS' },
        { title: 'TOKENS' },
        { title: 'PROJECT', flexible: true },
        { title: 'CREATED' },
        { title: 'TITLE', flexible: true },
      ],
      row: (goal) => [
        goal.shortId,
        statusCell(goal.status, io.tty),
        io.tty ? STAGE_TITLES[goal.stage] : goal.stage,
        goal.pendingReviews > 0
          ? { text: String(goal.pendingReviews), style: 'yellow' }
          : String(goal.pendingReviews),
        formatUsedTokens(goal.usage, !io.tty),
        goal.projectName,
        when(goal.createdAt, io.tty),
        goal.title,
      ],
    })
  },
})
