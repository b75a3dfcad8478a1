import { formatUsedTokens } from '../../contracts/figures.ts'
import type { AgentRun } from '../../contracts/schemas.ts'
import { STAGE_TITLES } from '../../contracts/stages.ts'
import { defineCommand, PAGE_OPTIONS } from '../command.ts'
import { statusCell, when } from '../format.ts'
import { pageQuery, printPage } from '../page.ts'
import { canonical, goalId } from '../target.ts'

const STATUSES = ['running', 'done', 'failed', 'interrupted', 'lost'] as const

export const agents = defineCommand({
  name: 'agents',
  summary: 'List agent runs, newest first',
  prints: { replies: ['listAgents'] },
  args: {},
  options: {
    status: { type: 'string', help: 'only these', choices: STATUSES },
    goal: { type: 'string', help: 'only of this goal' },
    task: { type: 'string', help: 'only of this task' },
    ...PAGE_OPTIONS,
  },
  examples: ['dispatch agents --status running'],
  async run({ status, goal, task, limit, cursor }, deps, io) {
    const page = await deps.call('listAgents', {
      query: {
        ...pageQuery({ limit, cursor }),
        ...(status ? { status: status as AgentRun['status'] } : {}),
        ...(goal ? { goal: goalId(goal) } : {}),
        ...(task ? { task: canonical(task) } : {}),
      },
    })
    return printPage(io, page, {
      none: 'No agent runs.',
      columns: [
        { title: 'RUN' },
        { title: 'STATUS' },
        { title: 'GOAL' },
        { title: 'STAGE' },
        { title: 'AGENT' },
        { title: 'TOKENS' },
        { title: 'STARTED' },
        { title: 'LAST WORDS', flexible: true },
      ],
      row: (run) => [
        run.shortId,
        statusCell(run.status, io.tty),
        run.goalShortId,
        `${io.tty ? STAGE_TITLES[run.stage] : run.stage}${run.opinion === 2 ? ' (second opinion)' : ''}`,
        run.demo ? `${run.adapter} (demo)` : run.adapter,
        formatUsedTokens(run.usage, !io.tty),
        when(run.startedAt, io.tty),
        run.exitDetail ?? run.lastLine ?? '',
      ],
    })
  },
})
