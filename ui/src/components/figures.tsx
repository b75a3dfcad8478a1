import type { UsageTotals } from '../../../contracts/schemas.ts'
import { useNow } from '../lib/clock.ts'
import { cn } from '../lib/cn.ts'
import { formatAgo, formatCost, formatDuration, formatFull, formatTokens } from '../lib/format.ts'
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
  const now = useNow()
  return (
    <span className={cn('figure', className)} role="timer" aria-live="off">
      {formatDuration(now - Date.parse(from))}
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
        </span>
      }
    >
      <span className={cn('figure', className)}>{formatTokens(usage.total)} tok</span>
    </Tooltip>
  )
}

/** What it cost in US dollars; "cost unknown" where the agent does not say. `exact` has four decimals. */
export function Cost({
  usd,
  exact,
  className,
}: {
  usd: number | null
  exact?: boolean
  className?: string
}) {
  if (usd !== null) return <span className={cn('figure', className)}>{formatCost(usd, exact)}</span>
  return (
    <Tooltip label="At least one of its runs did not say what it cost.">
      <span className={className}>cost unknown</span>
    </Tooltip>
  )
}

/** `G-12`. Reads as one word, copies as text. */
export function ShortId({ id, className }: { id: string; className?: string }) {
  return <span className={`shrink-0 text-fg-3 whitespace-nowrap ${className ?? ''}`}>{id}</span>
}
