import { formatUsedTokens, hasUsed } from '../../../../contracts/figures.ts'
import type { Goal, Task } from '../../../../contracts/schemas.ts'
import { STAGE_TITLES } from '../../../../contracts/stages.ts'
import { useFocusPanel } from '../../app/shell/focus-panel-state.ts'
import { Badge } from '../../components/badge.tsx'
import { lookOf, StatusIcon } from '../../components/status-icon.tsx'
import { cn } from '../../lib/cn.ts'

/** The tasks of the spec with what they wait for; a click opens one in the Focus Panel. */
export function GoalTasks({ goal }: { goal: Goal }) {
  if (goal.tasks.length === 0)
    return (
      <p className="px-4 pb-3 text-12 text-fg-3">
        The spec names the tasks; it is not approved yet.
      </p>
    )
  return (
    <ul className="px-2 pb-2">
      {goal.tasks.map((task) => (
        <TaskRow key={task.id} task={task} goal={goal} />
      ))}
    </ul>
  )
}

function TaskRow({ task, goal }: { task: Task; goal: Goal }) {
  const { panel, open } = useFocusPanel()
  const needs = task.dependsOn.flatMap((id) => goal.tasks.find((other) => other.id === id) ?? [])
  const blocked = needs.filter(({ status }) => status !== 'integrated')
  const says =
    task.status === 'pending' && blocked.length > 0
      ? `after ${blocked.map(({ shortId }) => shortId).join(', ')}`
      : task.status === 'active' && task.stage
        ? STAGE_TITLES[task.stage]
        : (task.reason ?? lookOf(task.status).word)
  return (
    <li>
      <button
        type="button"
        onClick={() => open(task.shortId)}
        aria-current={panel === task.shortId}
        className="flex w-full min-w-0 items-start gap-2 rounded-md px-2 py-1.5 text-left hover:bg-hover aria-[current=true]:bg-active aria-[current=true]:[&_.text-fg-3]:text-fg-2"
      >
        <StatusIcon status={task.idle ?? task.status} quiet className="pt-[3px]" />
        <span className="min-w-0 flex-1">
          <span className="flex items-baseline gap-2">
            <span className="shrink-0 text-fg-3">{task.shortId}</span>
            <bdi className="truncate">{task.title}</bdi>
          </span>
          <span className="flex items-center gap-2 text-12 text-fg-3">
            <bdi className={cn('truncate', task.status === 'needs_attention' && 'text-warn')}>
              {says}
            </bdi>
            {hasUsed(task.usage) && (
              <span className="shrink-0">{formatUsedTokens(task.usage)} tok</span>
            )}
          </span>
        </span>
        {task.blastRadius && task.blastRadius !== 'low' && (
          <Badge tone={task.blastRadius === 'high' ? 'danger' : 'warn'}>
            {task.blastRadius} risk
          </Badge>
        )}
      </button>
    </li>
  )
}
