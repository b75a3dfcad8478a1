import { Link } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown, ChevronRight, Radio } from 'lucide-react'
import { useMemo, useState } from 'react'
import type { StoredEvent } from '../../../../contracts/events.ts'
import { formatUsedTokens, hasUsed } from '../../../../contracts/figures.ts'
import type { Goal } from '../../../../contracts/schemas.ts'
import { hasWorked, workedTime } from '../../../../contracts/stage-rows.ts'
import { useLiveLog } from '../../app/live-log.ts'
import { useFocusPanel } from '../../app/shell/focus-panel-state.ts'
import { AdapterMarks } from '../../components/adapter-mark.tsx'
import { Button } from '../../components/button.tsx'
import { Worked } from '../../components/figures.tsx'
import { EmptyState, SkeletonRows } from '../../components/states.tsx'
import { StatusIcon } from '../../components/status-icon.tsx'
import { cn } from '../../lib/cn.ts'
import { formatClock } from '../../lib/format.ts'
import { useStickToEnd } from '../../lib/use-stick-to-end.ts'
import { type FeedAct, foldFeed, keyOfAttempt, REVIEWED } from './feed-groups.ts'
import { useLastLine } from './use-last-line.ts'

/** Events shown of a goal's whole life: a long goal has a few hundred. */
const NEWEST = 2_000

/** All that happens to a goal, an act a row, as it happens. */
export function GoalFeed({ goal }: { goal: Goal }) {
  const { items, live } = useLiveLog<StoredEvent>(`goal/${goal.id}`, NEWEST)
  const acts = useMemo(() => foldFeed(items), [items])
  const [expanded, setExpanded] = useState<ReadonlySet<string>>(new Set())
  const { scrollRef, unseen, toEnd } = useStickToEnd(live ? acts.length : 0)
  const virtual = useVirtualizer({
    count: acts.length,
    getScrollElement: () => scrollRef.current,
    estimateSize: () => 36,
    getItemKey: (index) => acts[index]?.key ?? index,
    overscan: 10,
  })
  if (!live) return <SkeletonRows rows={5} label="Loading activity" />
  if (acts.length === 0)
    return (
      <EmptyState
        icon={Radio}
        title="Nothing happened yet"
        detail="The first stage is about to begin."
      />
    )
  const toggle = (key: string) =>
    setExpanded((before) => {
      const after = new Set(before)
      if (!after.delete(key)) after.add(key)
      return after
    })
  const earlier = (items[0]?.seq ?? 1) - 1
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      {earlier > 0 && (
        <p className="shrink-0 border-b bg-sunken px-4 py-1.5 text-12 text-fg-2">
          Before this came {earlier.toLocaleString()} events:{' '}
          <code className="font-mono">dispatch events --stream goal/{goal.shortId} --after 0</code>
        </p>
      )}
      <div
        ref={scrollRef}
        role="log"
        aria-label="Activity"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
        tabIndex={0}
        className="min-h-0 flex-1 overflow-y-auto outline-none focus-visible:shadow-[inset_0_0_0_2px_var(--focus)]"
      >
        <ol className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ key, index, start }) => {
            const act = acts[index]
            return (
              act && (
                <li
                  key={key}
                  ref={virtual.measureElement}
                  data-index={index}
                  className="absolute inset-x-0 top-0"
                  style={{ transform: `translateY(${start}px)` }}
                >
                  <ActRow
                    act={act}
                    goal={goal}
                    open={expanded.has(act.key)}
                    onToggle={() => toggle(act.key)}
                  />
                </li>
              )
            )
          })}
        </ol>
      </div>
      {unseen > 0 && (
        <Button
          size="sm"
          icon={ArrowDown}
          onClick={toEnd}
          className="animate-in absolute bottom-3 left-1/2 -translate-x-1/2 rounded-full shadow-overlay"
        >
          {unseen} new
        </Button>
      )}
    </div>
  )
}

function ActRow(props: { act: FeedAct; goal: Goal; open: boolean; onToggle: () => void }) {
  const { act, goal, open } = props
  const { open: openPanel } = useFocusPanel()
  const task = goal.tasks.find(({ id }) => id === act.taskId)
  const run = act.runIds.at(-1)
  const working = goal.working.find(({ runId }) => runId === run)
  const review = goal.reviews.find(({ id }) => id === act.reviewId)
  const state = goal.stages.find((one) => keyOfAttempt(one) === act.key)
  const worked = state && workedTime([state])
  return (
    <div className="px-4">
      <div className="flex min-h-9 items-center gap-2.5">
        <time
          dateTime={act.at}
          className="figure min-w-[58px] shrink-0 text-12 whitespace-nowrap text-fg-3 max-md:hidden"
        >
          {formatClock(act.at)}
        </time>
        {act.status && <StatusIcon status={act.status} quiet />}
        <button
          type="button"
          aria-expanded={act.lines.length > 0 ? open : undefined}
          disabled={act.lines.length === 0}
          onClick={props.onToggle}
          className="flex min-w-0 flex-1 items-baseline gap-2 rounded-sm py-1 text-left"
        >
          <span className="shrink-0 font-medium">{review ? REVIEWED[review.kind] : act.title}</span>
          {task && <span className="shrink-0 text-12 text-fg-3">{task.shortId}</span>}
          <bdi className="min-w-0 truncate text-12 text-fg-2">
            {act.detail ?? state?.agentReason ?? task?.title}
          </bdi>
          {act.lines.length > 0 && (
            <ChevronRight
              size={13}
              className={cn(
                'shrink-0 self-center text-fg-3 transition-transform',
                open && 'rotate-90',
              )}
              aria-hidden="true"
            />
          )}
        </button>
        <span className="flex shrink-0 items-center gap-3 text-12 text-fg-3">
          {state && <AdapterMarks adapters={state.adapters} className="max-md:hidden" />}
          {state && hasUsed(state.usage) && (
            <span className="max-md:hidden">{formatUsedTokens(state.usage)}</span>
          )}
          {worked && hasWorked(worked) && <Worked time={worked} />}
          {!state && run !== undefined && (
            <Link to="/agents/$id" params={{ id: run }} className="hover:underline">
              {working?.runShortId ?? 'Run'}
            </Link>
          )}
          {review?.status === 'pending' && (
            <Link
              to="/reviews/$id"
              params={{ id: review.shortId }}
              className="font-medium text-warn hover:underline"
            >
              Review
            </Link>
          )}
        </span>
      </div>
      {state && working && (
        <button
          type="button"
          onClick={() => openPanel(working.runShortId)}
          className="mb-1.5 flex w-full min-w-0 items-center gap-2 rounded-md bg-sunken px-2.5 py-1 text-left text-12 text-fg-2 hover:bg-hover md:ml-[92px] md:w-[calc(100%-92px)]"
        >
          <RunLine runId={working.runId} known={working.lastLine} />
          <span className="shrink-0 text-fg-3">{working.runShortId}</span>
        </button>
      )}
      {open && (
        <ol className="mb-2 border-l pl-3 md:ml-[97px]">
          {state?.agentReason && <li className="py-0.5 text-12 text-fg-2">{state.agentReason}</li>}
          {act.lines.map(({ at, text }, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines are only added at the end
            <li key={index} className="flex gap-3 py-0.5 text-12 text-fg-2">
              <time dateTime={at} className="shrink-0 text-fg-3">
                {formatClock(at)}
              </time>
              <bdi className="min-w-0 break-words">{text}</bdi>
            </li>
          ))}
        </ol>
      )}
    </div>
  )
}

function RunLine({ runId, known }: { runId: string; known: string | null }) {
  const line = useLastLine(runId, known)
  return <bdi className="min-w-0 flex-1 truncate">{line ?? 'The agent is starting.'}</bdi>
}
