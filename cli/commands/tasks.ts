import { formatUsedTokens } from '../../contracts/figures.ts'
import { STAGE_TITLES, TASK_STATUSES, type TaskStatus } from '../../contracts/stages.ts'
import { defineCommand, PAGE_OPTIONS } from '../command.ts'
import { statusCell } from '../format.ts'
import { pageQuery, printPage } from '../page.ts'
import { goalId } from '../target.ts'

export const tasks = defineCommand({
  name: 'tasks',
  summary: 'List tasks',
  prints: { replies: ['listTasks'] },
  args: { status: { help: 'only these', choices: TASK_STATUSES } },
  options: { goal: { type: 'string', help: 'only of this goal' }, ...PAGE_OPTIONS },
  examples: ['dispatch tasks pending', 'dispatch tasks --goal G-12'],
  async run({ status, goal, limit, cursor }, deps, io) {
    const page = await deps.call('listTasks', {
      query: {
        ...pageQuery({ limit, cursor }),
        ...(status ? { status: status as TaskStatus } : {}),
        ...(goal ? { goal: goalId(goal) } : {}),
      },
    })
    return printPage(io, page, {
      none: 'No such tasks.',
      columns: [
        { title: 'TASK' },
        { title: 'STATUS' },
        { title: 'STAGE' },
        { title: 'RISK' },
        { title: 'AGENT' },
        { title: 'TOKENS' },
        { title: 'TITLE', flexible: true },
        { title: 'WHY', flexible: true },
      ],
      row: (task) => [
        task.shortId,
        statusCell(task.idle ?? task.status, io.tty),
        task.stage ? (io.tty ? STAGE_TITLES[task.stage] : task.stage) : '',
        task.blastRadius ?? '',
        task.adapter ?? '',
        formatUsedTokens(task.usage, !io.tty),
        task.title,
        task.reason ?? '',
      ],
    })
  },
})
