import { Link } from '@tanstack/react-router'
import type { GoalSummary } from '../../../../contracts/schemas.ts'
import { STAGE_TITLES } from '../../../../contracts/stages.ts'
import { AdapterMark } from '../../components/adapter-mark.tsx'
import { Cost, ShortId, Time, Tokens } from '../../components/figures.tsx'
import { StatusIcon } from '../../components/status-icon.tsx'
import { cn } from '../../lib/cn.ts'
import { plural } from '../../lib/format.ts'
import { goalStatus } from './goal-groups.ts'
import { useLastLine } from './use-last-line.ts'

/** A goal in the list: its state, its name, and what is said about it right now. */
export function GoalRow(props: { goal: GoalSummary; selected: boolean; onPoint: () => void }) {
  const { goal } = props
  const status = goalStatus(goal)
  return (
    <li
      data-row={goal.shortId}
      onPointerMove={props.selected ? undefined : props.onPoint}
      className={cn(
        'relative flex min-h-11 items-center gap-3 border-b border-line/60 px-4 py-1.5 md:h-11',
        props.selected && 'bg-hover',
      )}
    >
      <StatusIcon
        status={status}
        quiet
        size={16}
        className="self-start pt-2 md:self-auto md:pt-0"
      />
      <ShortId id={goal.shortId} className="w-10 max-md:self-start max-md:pt-1.5" />
      <div className="flex min-w-0 flex-1 items-baseline gap-3 max-md:flex-col max-md:gap-0 max-md:py-1">
        <Link
          to="/goals/$id"
          params={{ id: goal.shortId }}
          className="max-w-full min-w-0 shrink-0 truncate font-medium md:max-w-[64%] outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-focus"
        >
          <bdi>{goal.title}</bdi>
        </Link>
        <LastLine goal={goal} />
      </div>
      <div className="flex shrink-0 items-center gap-4 text-12 text-fg-3">
        <span className="hidden max-w-32 truncate lg:block">{goal.projectName}</span>
        <span className="relative z-1 hidden w-16 text-right lg:block">
          <Tokens usage={goal.usage} />
        </span>
        <span className="relative z-1 hidden w-20 text-right xl:block">
          <Cost usage={goal.usage} />
        </span>
        <span className="relative z-1 w-16 text-right">
          <Time at={goal.updatedAt} />
        </span>
      </div>
    </li>
  )
}

/** Why it waits, or what its agent says, in one line. */
function LastLine({ goal }: { goal: GoalSummary }) {
  const [run] = goal.working
  const line = useLastLine(run?.runId, run?.lastLine ?? null)
  const status = goalStatus(goal)
  const said = 'min-w-0 max-w-full flex-1 truncate text-12'
  if (status === 'review')
    return (
      <span className={cn(said, 'text-warn')}>
        {plural(goal.pendingReviews, 'review')} {goal.pendingReviews === 1 ? 'waits' : 'wait'} for
        you
      </span>
    )
  if (status === 'needs_attention' || status === 'cancelled')
    return (
      <span className={cn(said, status === 'cancelled' ? 'text-fg-3' : 'text-warn')}>
        {goal.reason ?? STAGE_TITLES[goal.stage]}
      </span>
    )
  if (status === 'completed')
    return (
      <span className={cn(said, 'text-fg-3')}>
        merged into {goal.targetBranch}
        {goal.mergedCommit && ` as ${goal.mergedCommit.slice(0, 8)}`}
      </span>
    )
  return (
    <span className={cn(said, 'flex items-center gap-2 text-fg-2')}>
      <span className="shrink-0 text-fg-2">{STAGE_TITLES[goal.stage]}</span>
      {run && <AdapterMark adapter={run.adapter} className="shrink-0 text-fg-3" />}
      <bdi className="min-w-0 truncate text-fg-3">{line ?? goal.reason}</bdi>
    </span>
  )
}
