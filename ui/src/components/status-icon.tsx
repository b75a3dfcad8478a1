import type { ReactNode } from 'react'
import type { AgentRun, ReviewSummary } from '../../../contracts/schemas.ts'
import type { GoalStatus, StageStatus, TaskStatus } from '../../../contracts/stages.ts'
import { cn } from '../lib/cn.ts'

/** Every state of anything. */
export type Status =
  | GoalStatus
  | StageStatus
  | TaskStatus
  | AgentRun['status']
  | ReviewSummary['status']
  | 'in_line' // work that waits for its place in the pool
type Shape =
  | 'dotted'
  | 'line'
  | 'running'
  | 'paused'
  | 'eye'
  | 'hand'
  | 'check'
  | 'done'
  | 'cross'
  | 'slash'
  | 'dash'
  | 'back'
type Tone = 'quiet' | 'accent' | 'ok' | 'warn' | 'danger'

interface Look {
  word: string
  shape: Shape
  tone: Tone
}

const LOOKS: Readonly<Record<Status, Look>> = {
  waiting: { word: 'Waiting', shape: 'dotted', tone: 'quiet' },
  pending: { word: 'Pending', shape: 'dotted', tone: 'quiet' },
  in_line: { word: 'In line', shape: 'line', tone: 'quiet' },
  active: { word: 'At work', shape: 'running', tone: 'accent' },
  running: { word: 'Running', shape: 'running', tone: 'accent' },
  paused: { word: 'Paused', shape: 'paused', tone: 'quiet' },
  review: { word: 'Your review', shape: 'eye', tone: 'warn' },
  needs_attention: { word: 'Needs attention', shape: 'hand', tone: 'warn' },
  changes_requested: { word: 'Changes requested', shape: 'back', tone: 'warn' },
  approved: { word: 'Approved', shape: 'check', tone: 'ok' },
  passed: { word: 'Passed', shape: 'check', tone: 'ok' },
  done: { word: 'Done', shape: 'check', tone: 'ok' },
  integrated: { word: 'Integrated', shape: 'done', tone: 'ok' },
  completed: { word: 'Merged', shape: 'done', tone: 'ok' },
  failed: { word: 'Failed', shape: 'cross', tone: 'danger' },
  rejected: { word: 'Rejected', shape: 'cross', tone: 'danger' },
  lost: { word: 'Lost', shape: 'cross', tone: 'danger' },
  interrupted: { word: 'Interrupted', shape: 'slash', tone: 'quiet' },
  cancelled: { word: 'Cancelled', shape: 'slash', tone: 'quiet' },
  superseded: { word: 'Superseded', shape: 'slash', tone: 'quiet' },
  skipped: { word: 'Not needed', shape: 'dash', tone: 'quiet' },
}

/** One sign and one word for each state, everywhere. What only a newer server knows is shown by its own name. */
export const lookOf = (status: Status): Look =>
  (LOOKS as Partial<Record<Status, Look>>)[status] ?? {
    ...{ word: String(status).replaceAll('_', ' '), shape: 'dotted', tone: 'quiet' },
  }

const TONES: Readonly<Record<Tone, string>> = {
  quiet: 'text-fg-3',
  accent: 'text-accent-fg',
  ok: 'text-ok',
  warn: 'text-warn',
  danger: 'text-danger',
}

const stroke = {
  fill: 'none',
  stroke: 'currentColor',
  strokeWidth: 1.5,
  strokeLinecap: 'round',
  strokeLinejoin: 'round',
} as const
const ring = <circle cx="8" cy="8" r="6.25" {...stroke} />

const SHAPES: Readonly<Record<Shape, ReactNode>> = {
  dotted: (
    <circle cx="8" cy="8" r="6.25" {...stroke} strokeDasharray="1.6 2.33" strokeLinecap="butt" />
  ),
  line: (
    <>
      <circle cx="8" cy="8" r="6.25" {...stroke} strokeOpacity="0.45" />
      <path d="M5 6.2h6M5 8h6M5 9.8h3.4" {...stroke} strokeWidth={1.25} />
    </>
  ),
  running: (
    <>
      <circle cx="8" cy="8" r="6.25" {...stroke} strokeOpacity="0.28" />
      <path d="M8 1.75A6.25 6.25 0 0 1 14.25 8" {...stroke} strokeWidth={1.75} className="spin" />
      <circle cx="8" cy="8" r="2.25" fill="currentColor" />
    </>
  ),
  paused: (
    <>
      {ring}
      <path d="M6.4 5.75v4.5M9.6 5.75v4.5" {...stroke} />
    </>
  ),
  eye: (
    <>
      <path d="M1.5 8S3.9 3.75 8 3.75 14.5 8 14.5 8 12.1 12.25 8 12.25 1.5 8 1.5 8Z" {...stroke} />
      <circle cx="8" cy="8" r="2" fill="currentColor" />
    </>
  ),
  hand: (
    <path
      d="M4.6 8.9V4.6a.95.95 0 0 1 1.9 0v2.7m0-.3V2.9a.95.95 0 0 1 1.9 0V7m0-3.2a.95.95 0 0 1 1.9 0V7.6m0-2.3a.95.95 0 0 1 1.9 0v4.2c0 2.9-1.8 5-4.6 5-2.1 0-3.2-.9-4.2-2.6L2.2 9.6c-.7-1.3.8-2.2 1.7-1.3l.7.8"
      {...stroke}
      strokeWidth={1.25}
    />
  ),
  back: (
    <>
      {ring}
      <path d="M7 5.6 4.9 7.7 7 9.8M5.1 7.7h3.7c1.3 0 2 .8 2 2v.5" {...stroke} strokeWidth={1.25} />
    </>
  ),
  check: (
    <>
      {ring}
      <path d="m5.4 8.2 1.8 1.8 3.5-3.8" {...stroke} />
    </>
  ),
  done: (
    <>
      <circle cx="8" cy="8" r="7" fill="currentColor" />
      <path
        d="m5.2 8.2 1.9 1.9 3.7-4"
        {...stroke}
        style={{ stroke: 'var(--bg)' }}
        strokeWidth={1.6}
      />
    </>
  ),
  cross: (
    <>
      {ring}
      <path d="m6 6 4 4m0-4-4 4" {...stroke} />
    </>
  ),
  slash: (
    <>
      {ring}
      <path d="m4 12 8-8" {...stroke} />
    </>
  ),
  dash: (
    <>
      <circle cx="8" cy="8" r="6.25" {...stroke} strokeOpacity="0.45" />
      <path d="M5.6 8h4.8" {...stroke} />
    </>
  ),
}

/** The sign of a state; its word is beside it, or read aloud with `quiet`. `word` says it more exactly than the set does. */
export function StatusIcon(props: {
  status: Status
  /** Only the sign. */
  quiet?: boolean
  word?: string
  size?: number
  className?: string
}) {
  const { word, shape, tone } = lookOf(props.status)
  const said = props.word ?? word
  return (
    <span
      className={cn(
        'inline-flex items-center gap-1.5 whitespace-nowrap',
        TONES[tone],
        props.className,
      )}
    >
      {/* biome-ignore lint/a11y/noSvgWithoutTitle: named by aria-label, or hidden where its word stands beside it */}
      <svg
        viewBox="0 0 16 16"
        width={props.size ?? 14}
        height={props.size ?? 14}
        className="shrink-0"
        {...(props.quiet ? { role: 'img', 'aria-label': said } : { 'aria-hidden': true })}
      >
        {SHAPES[shape]}
      </svg>
      {!props.quiet && <span>{said}</span>}
    </span>
  )
}
