import { formatUsedTokens, hasUsed } from '../../../../contracts/figures.ts'
import type { Goal, StageState } from '../../../../contracts/schemas.ts'
import { hasWorked, type StageRow, stageRows } from '../../../../contracts/stage-rows.ts'
import { STAGE_TITLES, type Stage } from '../../../../contracts/stages.ts'
import { AdapterMarks } from '../../components/adapter-mark.tsx'
import { Worked } from '../../components/figures.tsx'
import { lookOf, StatusIcon } from '../../components/status-icon.tsx'
import { Tooltip } from '../../components/tooltip.tsx'
import { cn } from '../../lib/cn.ts'
import { formatClock } from '../../lib/format.ts'

/** As they follow each other; two in one place run at the same time. */
const PLACES: readonly (readonly Stage[])[] = [
  ['spec'],
  ['test_spec', 'security_spec'],
  ['implement'],
  ['frontend'],
  ['verify'],
  ['review'],
  ['audit'],
  ['merge'],
]

/**
 * The nine stages at a glance: state, time, tokens and attempt of each; those of tasks stand under one bracket. Where it is
 * narrow, three rows of three.
 */
export function StageStrip({ goal }: { goal: Goal }) {
  const rows = new Map(stageRows(goal).map((row) => [row.stage, row]))
  const integrated = goal.tasks.filter(({ status }) => status === 'integrated').length
  return (
    <section
      aria-label="Stages"
      className="@container shrink-0 border-b px-4 pt-2 pb-3 max-md:px-3"
    >
      <div
        className="mb-1 hidden grid-cols-[1fr_1.25fr_repeat(6,1fr)] gap-1.5 text-11 text-fg-3 @[860px]:grid"
        aria-hidden="true"
      >
        <span />
        <span>in parallel</span>
        <span className="col-span-4 flex items-center gap-2">
          {goal.tasks.length > 1
            ? `each task, ${integrated} of ${goal.tasks.length} integrated`
            : 'each task'}
          <span className="h-px flex-1 bg-line" />
        </span>
      </div>
      <ol className="grid grid-cols-3 gap-1.5 @[860px]:grid-cols-[1fr_1.25fr_repeat(6,1fr)]">
        {PLACES.map((stages) => (
          <li
            key={stages[0]}
            className={cn(
              'flex min-w-0 flex-col gap-1',
              stages.length > 1 && 'contents @[860px]:flex',
            )}
          >
            {stages.map((stage) => {
              const row = rows.get(stage)
              return row && <StageCell key={stage} row={row} goal={goal} half={stages.length > 1} />
            })}
          </li>
        ))}
      </ol>
    </section>
  )
}

const SURFACES: Partial<Record<StageState['status'], string>> = {
  running: 'border-accent/40 bg-accent-soft/60',
  review: 'border-warn/40 bg-warn-soft',
  failed: 'border-danger/40 bg-danger-soft',
}

/** `half`: one of two in a place, so it has one line where the others have two. */
function StageCell({ row, goal, half }: { row: StageRow; goal: Goal; half: boolean }) {
  const begun = row.attempt > 0
  const worked = hasWorked(row.worked)
  return (
    <Tooltip side="bottom" label={<CellDetail row={row} goal={goal} />}>
      <div
        // biome-ignore lint/a11y/noNoninteractiveTabindex: its tooltip holds the reason
        tabIndex={0}
        className={cn(
          'flex min-w-0 flex-1 flex-col justify-center gap-x-2 rounded-md border bg-bg px-1.5 py-1 @[300px]:px-2 @[560px]:flex-row @[560px]:items-center @[560px]:justify-between @[560px]:py-0.5 @[860px]:flex-col @[860px]:items-stretch @[860px]:justify-center @[860px]:py-1',
          half && '@[860px]:py-0',
          SURFACES[row.status],
          !begun && 'border-dashed bg-transparent',
        )}
      >
        <div className="flex min-w-0 items-center gap-1.5">
          <StatusIcon status={row.status} quiet size={13} />
          <span
            className={cn(
              'min-w-0 text-12/4 font-medium @[860px]:truncate',
              !begun && 'font-normal text-fg-3',
            )}
          >
            {STAGE_TITLES[row.stage]}
          </span>
          <span className="ml-auto flex shrink-0 items-center gap-1.5 text-11 text-fg-3 empty:hidden">
            {row.attempt > 1 && row.status !== 'skipped' && (
              <span className="hidden @[300px]:inline">×{row.attempt}</span>
            )}
            {half && worked && <Worked time={row.worked} className="hidden @[860px]:inline" />}
          </span>
        </div>
        <div
          className={cn(
            'flex min-h-4 min-w-0 items-center gap-2 text-11 whitespace-nowrap text-fg-3',
            half && '@[860px]:hidden',
          )}
        >
          {worked ? (
            <Worked time={row.worked} />
          ) : (
            <span className="truncate">{begun ? lookOf(row.status).word : ' '}</span>
          )}
          {hasUsed(row.used) && <span className="figure">{formatUsedTokens(row.used)}</span>}
          {row.tasks && row.status !== 'skipped' && <TaskDots row={row} goal={goal} />}
        </div>
      </div>
    </Tooltip>
  )
}

const DOTS: Partial<Record<StageState['status'], string>> = {
  running: 'bg-accent',
  review: 'bg-warn',
  failed: 'bg-danger',
  passed: 'bg-ok',
}

/** One mark for each task, in the order of the spec. */
function TaskDots({ row, goal }: { row: StageRow; goal: Goal }) {
  const states = new Map(row.states.map((state) => [state.taskId, state.status]))
  const shown = goal.tasks.slice(0, 6)
  return (
    <span
      className="ml-auto flex items-center gap-[3px]"
      role="img"
      aria-label={`${row.tasks?.done ?? 0} of ${goal.tasks.length} tasks through`}
    >
      {shown.map((task) => (
        <span
          key={task.id}
          className={cn(
            'size-1.5 rounded-full',
            DOTS[states.get(task.id) ?? 'waiting'] ?? 'bg-line-strong',
          )}
        />
      ))}
      {goal.tasks.length > shown.length && <span>+{goal.tasks.length - shown.length}</span>}
    </span>
  )
}

function CellDetail({ row, goal }: { row: StageRow; goal: Goal }) {
  const taskOf = (state: StageState) => goal.tasks.find(({ id }) => id === state.taskId)
  return (
    <div className="flex max-w-72 min-w-40 flex-col gap-1 py-0.5">
      <span className="flex items-center justify-between gap-4">
        <span className="font-medium">{STAGE_TITLES[row.stage]}</span>
        <StatusIcon status={row.status} />
      </span>
      {row.adapters.length > 0 && (
        <span className="flex items-center justify-between gap-4 text-fg-2">
          <AdapterMarks adapters={row.adapters} />
          <span>
            {row.attempt > 1 && `attempt ${row.attempt}, `}
            {formatUsedTokens(row.used)} tokens
          </span>
        </span>
      )}
      {hasWorked(row.worked) && row.startedAt && (
        <span className="text-fg-2">
          Agents worked <Worked time={row.worked} /> of the time from {formatClock(row.startedAt)}{' '}
          to {row.endedAt ? formatClock(row.endedAt) : 'now'}
        </span>
      )}
      {row.states.length > 1 &&
        row.states.map((state) => (
          <span key={state.taskId} className="flex items-center gap-2 text-fg-2">
            <StatusIcon status={state.status} quiet size={12} />
            <span className="shrink-0 text-fg-3">{taskOf(state)?.shortId}</span>
            <bdi className="truncate">{taskOf(state)?.title}</bdi>
          </span>
        ))}
      {row.reason && <span className="text-fg-2">{row.reason}</span>}
    </div>
  )
}
