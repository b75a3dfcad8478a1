import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { Task } from '../../../../contracts/schemas.ts'
import { STAGE_TITLES } from '../../../../contracts/stages.ts'
import { call } from '../../app/api.ts'
import { agentsQuery, taskQuery } from '../../app/queries.ts'
import { useFocusPanel } from '../../app/shell/focus-panel-state.ts'
import { toastError } from '../../app/toasts.ts'
import { AdapterMark } from '../../components/adapter-mark.tsx'
import { AdapterSelect } from '../../components/adapter-select.tsx'
import { Badge } from '../../components/badge.tsx'
import { Budget, Cost, Duration, Tokens } from '../../components/figures.tsx'
import { Markdown } from '../../components/markdown.tsx'
import { ErrorState, SkeletonRows } from '../../components/states.tsx'
import { StatusIcon } from '../../components/status-icon.tsx'

/** A task in the Focus Panel: its facts, what it asks for, and who worked on it. */
export function TaskPanel({ id }: { id: string }) {
  const { data: task, error, refetch } = useQuery(taskQuery(id))
  if (error && !task) return <ErrorState error={error} onRetry={() => void refetch()} />
  if (!task) return <SkeletonRows rows={4} label={`Loading ${id}`} />
  return (
    <div className="min-h-0 flex-1 overflow-y-auto">
      <div className="flex min-h-11 items-center gap-2 border-b py-2 pr-11 pl-4">
        <h2 className="min-w-0 font-medium">
          <span className="mr-1.5 font-normal text-fg-3">{task.shortId}</span>
          <bdi>{task.title}</bdi>
        </h2>
      </div>
      <dl className="grid grid-cols-[88px_minmax(0,1fr)] gap-y-1.5 border-b px-4 py-3 [&_dt]:text-fg-3">
        <Fact name="State">
          <StatusIcon status={task.idle ?? task.status} />
          {task.reason && <p className="text-12 text-fg-2">{task.reason}</p>}
        </Fact>
        {task.stage && <Fact name="Stage">{STAGE_TITLES[task.stage]}</Fact>}
        {task.adapter && (
          <Fact name="Agent">
            <AdapterMark adapter={task.adapter} />
          </Fact>
        )}
        {task.status !== 'integrated' && task.status !== 'cancelled' && (
          <Fact name="Written by">
            <TaskAgent task={task} />
          </Fact>
        )}
        {task.blastRadius && (
          <Fact name="Risk">
            <Badge
              tone={
                task.blastRadius === 'high'
                  ? 'danger'
                  : task.blastRadius === 'medium'
                    ? 'warn'
                    : 'neutral'
              }
            >
              {task.blastRadius}
            </Badge>
          </Fact>
        )}
        {task.branch && (
          <Fact name="Branch">
            <span className="font-mono text-12 break-all">{task.branch}</span>
          </Fact>
        )}
        <Fact name="Spent">
          <span className="flex gap-2">
            <Tokens usage={task.usage} />
            <Cost usage={task.usage} exact className="text-fg-2" />
          </span>
        </Fact>
        {task.tokenBudget > 0 && (
          <Fact name="Budget">
            <Budget used={task.usage.total} budget={task.tokenBudget} what="Budget of the task" />
          </Fact>
        )}
      </dl>
      <Markdown text={task.description} className="border-b px-4 py-3" />
      <Runs taskId={task.id} />
    </div>
  )
}

const BY_PROFILE = '-'

/** Who writes the task from its next run on. */
function TaskAgent({ task }: { task: Task }) {
  const client = useQueryClient()
  const change = useMutation({
    mutationFn: (agent: Task['agent']) =>
      call('updateTask', { params: { id: task.id }, body: { agent } }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['task'] }),
    onError: (error) => toastError('The agent was not changed', error),
  })
  return (
    <AdapterSelect
      label={`Who writes ${task.shortId}`}
      value={task.agent?.adapter ?? BY_PROFILE}
      more={[{ value: BY_PROFILE, label: 'As its profile says' }]}
      onChange={(adapter) => change.mutate(adapter === BY_PROFILE ? null : { adapter })}
    />
  )
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd className="min-w-0">{children}</dd>
    </>
  )
}

function Runs({ taskId }: { taskId: string }) {
  const { data } = useQuery(agentsQuery({ task: taskId }))
  const { open } = useFocusPanel()
  if (!data || data.items.length === 0) return null
  return (
    <section aria-labelledby="task-runs" className="px-2 py-2">
      <h3 id="task-runs" className="px-2 py-1 text-12 font-medium text-fg-2">
        Agent runs
      </h3>
      <ul>
        {data.items.map((run) => (
          <li key={run.id} className="flex items-center gap-1">
            <button
              type="button"
              onClick={() => open(run.shortId)}
              className="flex h-8 min-w-0 flex-1 items-center gap-2 rounded-md px-2 text-left hover:bg-hover"
            >
              <StatusIcon status={run.status} quiet />
              <span className="text-fg-3">{run.shortId}</span>
              <span className="flex-1 truncate">
                {STAGE_TITLES[run.stage]}
                {run.attempt > 1 && ` ×${run.attempt}`}
                {run.opinion === 2 && ', second opinion'}
              </span>
              {run.startedAt && (
                <Duration from={run.startedAt} to={run.endedAt} className="text-12 text-fg-3" />
              )}
            </button>
            <Link
              to="/agents/$id"
              params={{ id: run.shortId }}
              className="rounded-sm px-1 text-12 text-fg-3 hover:text-fg"
            >
              Open
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}
