import { formatDuration, formatTokens, formatUsedTokens } from '../../../contracts/figures.ts'
import type { UsageTotals } from '../../../contracts/schemas.ts'
import { type WorkedTime, workedUntil } from '../../../contracts/stage-rows.ts'
import { useKnownTime, useNow } from '../lib/clock.ts'
import { cn } from '../lib/cn.ts'
import { formatAgo, formatCost, formatFull, formatUsageCost, plural } from '../lib/format.ts'
import { Tooltip } from './tooltip.tsx'

/** How long ago, with date and time in the tooltip. `at`: ISO time. */
export function Time({ at, className }: { at: string; className?: string }) {
  const now = useNow()
  return (
    <Tooltip label={formatFull(at)}>
      <time dateTime={at} className={cn('figure', className)}>
        {formatAgo(Date.parse(at), now)}
      </time>
    </Tooltip>
  )
}

/** From one ISO time to another; still counting while `to` is null. */
export function Duration({
  from,
  to,
  className,
}: {
  from: string
  to: string | null
  className?: string
}) {
  if (to !== null)
    return (
      <span className={cn('figure', className)}>
        {formatDuration(Date.parse(to) - Date.parse(from))}
      </span>
    )
  return <Running from={from} className={className} />
}

function Running({ from, className }: { from: string; className: string | undefined }) {
  const now = useKnownTime()
  return (
    <span className={cn('figure', className)} role="timer" aria-live="off">
      {formatDuration(now - Date.parse(from))}
    </span>
  )
}

/** How long agents worked; still counting while one does. */
export function Worked({ time, className }: { time: WorkedTime; className?: string }) {
  if (time.since.length > 0) return <WorkingNow {...{ time, className }} />
  return <span className={cn('figure', className)}>{formatDuration(time.ms)}</span>
}

function WorkingNow({ time, className }: { time: WorkedTime; className: string | undefined }) {
  const now = useKnownTime()
  return (
    <span className={cn('figure', className)} role="timer" aria-live="off">
      {formatDuration(workedUntil(time, now))}
    </span>
  )
}

/** Tokens in all; the parts are in the tooltip. */
export function Tokens({ usage, className }: { usage: UsageTotals; className?: string }) {
  const parts = [
    ['Input', usage.input],
    ['Cache read', usage.cacheRead],
    ['Cache write', usage.cacheWrite],
    ['Output', usage.output],
  ] as const
  return (
    <Tooltip
      label={
        <span className="grid grid-cols-[auto_auto] gap-x-4">
          {parts.map(([name, count]) => (
            <span key={name} className="contents">
              <span className="text-fg-2">{name}</span>
              <span className="text-right">{count.toLocaleString()}</span>
            </span>
          ))}
          {usage.uncountedRuns > 0 && (
            <span className="col-span-2 max-w-64">
              {plural(usage.uncountedRuns, 'run')} did not tell all tokens
              {usage.estimatedTokens > 0 &&
                `: about ${formatTokens(usage.estimatedTokens)} more, estimated from what was said`}
              .
            </span>
          )}
        </span>
      }
    >
      <span className={cn('figure', className)}>{formatUsedTokens(usage)} tok</span>
    </Tooltip>
  )
}

/**
 * What it cost in US dollars: `~$1.20` holds an estimate, `$1.20+` leaves out runs whose cost is unknown. `exact` has
 * four decimals.
 */
export function Cost({
  usage,
  exact,
  className,
}: {
  usage: UsageTotals
  exact?: boolean
  className?: string
}) {
  const note = costNote(usage)
  const text = formatUsageCost(usage, exact)
  if (note === undefined) return <span className={cn('figure', className)}>{text}</span>
  return (
    <Tooltip label={note}>
      <span className={cn('figure', className)}>{text}</span>
    </Tooltip>
  )
}

/** What of the cost is not the agents' own word; undefined when all is. */
export function costNote({ estimatedUsd, unpricedRuns }: UsageTotals): string | undefined {
  const notes = [
    ...(estimatedUsd > 0
      ? [`${formatCost(estimatedUsd)} of it is estimated from list prices.`]
      : []),
    ...(unpricedRuns > 0 ? [`The cost of ${plural(unpricedRuns, 'run')} is unknown.`] : []),
  ]
  return notes.length > 0 ? notes.join(' ') : undefined
}

/** How much of a budget is used; nothing where there is none. */
export function Budget({ used, budget, what }: { used: number; budget: number; what: string }) {
  if (budget === 0) return null
  const share = Math.min(100, Math.round((100 * used) / budget))
  return (
    <span className="flex items-center gap-2 text-12 text-fg-2">
      <meter
        aria-label={what}
        min={0}
        max={budget}
        value={Math.min(used, budget)}
        className="sr-only"
      >
        {formatTokens(used)} of {formatTokens(budget)} tokens
      </meter>
      <span
        aria-hidden="true"
        className="h-1.5 w-20 shrink-0 overflow-hidden rounded-full bg-active"
      >
        <span
          className={cn('block h-full', share >= 90 ? 'bg-warn' : 'bg-accent')}
          style={{ width: `${share}%` }}
        />
      </span>
      {share}% of {formatTokens(budget)}
    </span>
  )
}

/** `G-12`. Reads as one word, copies as text. */
export function ShortId({ id, className }: { id: string; className?: string }) {
  return <span className={`shrink-0 text-fg-3 whitespace-nowrap ${className ?? ''}`}>{id}</span>
}
