import { formatDuration } from '../contracts/figures.ts'
import type { AgentRun, GoalSummary, ReviewSummary, UsageTotals } from '../contracts/schemas.ts'
import type { StageStatus, TaskStatus } from '../contracts/stages.ts'
import type { Cell, Style } from './io.ts'

/** US dollars: `~$1.20` holds an estimate, `$1.20+` leaves out runs whose cost is unknown. */
export function cost(usage: Pick<UsageTotals, 'costUsd' | 'knownUsd' | 'estimatedUsd'>): string {
  if (usage.costUsd === null && usage.knownUsd === 0) return 'unknown'
  const about = usage.estimatedUsd > 0 ? '~' : ''
  return `${about}$${usage.knownUsd.toFixed(2)}${usage.costUsd === null ? '+' : ''}`
}

/** How long ago on a terminal, the exact time in a pipe. */
export const when = (time: string | null, tty: boolean) => {
  if (time === null) return ''
  return tty ? `${formatDuration(Date.now() - Date.parse(time))} ago` : time
}

type AnyStatus =
  | GoalSummary['status']
  | TaskStatus
  | StageStatus
  | ReviewSummary['status']
  | AgentRun['status']

const STYLES: Readonly<Record<AnyStatus, { icon: string; word: string; style: Style }>> = {
  active: { icon: '●', word: 'active', style: 'cyan' },
  paused: { icon: '‖', word: 'paused', style: 'yellow' },
  completed: { icon: '✓', word: 'completed', style: 'green' },
  failed: { icon: '✗', word: 'failed', style: 'red' },
  cancelled: { icon: '⊘', word: 'cancelled', style: 'dim' },
  needs_attention: { icon: '!', word: 'needs attention', style: 'red' },
  pending: { icon: '○', word: 'pending', style: 'yellow' },
  review: { icon: '?', word: 'review', style: 'yellow' },
  approved: { icon: '✓', word: 'approved', style: 'green' },
  integrated: { icon: '✓', word: 'integrated', style: 'green' },
  waiting: { icon: '○', word: 'waiting', style: 'dim' },
  running: { icon: '●', word: 'running', style: 'cyan' },
  passed: { icon: '✓', word: 'passed', style: 'green' },
  skipped: { icon: '–', word: 'skipped', style: 'dim' },
  rejected: { icon: '✗', word: 'rejected', style: 'red' },
  changes_requested: { icon: '↺', word: 'changes requested', style: 'yellow' },
  superseded: { icon: '–', word: 'superseded', style: 'dim' },
  done: { icon: '✓', word: 'done', style: 'green' },
  interrupted: { icon: '‖', word: 'interrupted', style: 'yellow' },
  lost: { icon: '✗', word: 'lost', style: 'red' },
}

export const look = (status: AnyStatus) => STYLES[status]

/** A status for a table: its icon and word on a terminal, the bare value in a pipe. */
export function statusCell(status: AnyStatus, tty: boolean): Cell {
  if (!tty) return { text: status }
  const { icon, word, style } = look(status)
  return { text: `${icon} ${word}`, style }
}

/** `1 file`, `3 files`. */
export const countOf = (count: number, one: string): string =>
  `${count} ${count === 1 ? one : `${one}s`}`
