import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { actorName } from '../../../../contracts/figures.ts'
import type { AgentRun } from '../../../../contracts/schemas.ts'
import { useFocusPanel } from '../../app/shell/focus-panel-state.ts'
import { AdapterMark } from '../../components/adapter-mark.tsx'
import { Duration, ShortId, Time, Tokens } from '../../components/figures.tsx'
import { lookOf, StatusIcon } from '../../components/status-icon.tsx'
import { cn } from '../../lib/cn.ts'
import { useLastLine } from '../goals/use-last-line.ts'
import { stageTitle, type Waiting } from './agent-groups.ts'

/** A run in the list: who, on what, what it says right now, how long and how much. */
export function AgentRow(props: { run: AgentRun; selected: boolean; onPoint: () => void }) {
  const { run } = props
  const { panel } = useFocusPanel()
  const live = run.status === 'running'
  return (
    <li
      data-row={run.shortId}
      onPointerMove={props.selected ? undefined : props.onPoint}
      className={cn(
        'relative flex min-h-13 items-center gap-3 border-b border-line/60 px-4 py-1.5',
        props.selected && 'bg-hover',
        panel === run.shortId && 'bg-hover shadow-[inset_2px_0_0_var(--accent)]',
      )}
    >
      <StatusIcon status={run.status} quiet size={16} className="self-start pt-1" />
      <div className="min-w-0 flex-1">
        <p className="flex min-w-0 items-baseline gap-2">
          <Link
            to="."
            search={(before) => ({ ...before, panel: run.shortId }) as never}
            className="shrink-0 font-medium outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-focus"
          >
            {stageTitle(run.stage)}
            {run.opinion === 2 && <span className="font-normal">, second opinion</span>}
            {run.attempt > 1 && <span className="font-normal text-fg-3"> ×{run.attempt}</span>}
          </Link>
          <Subject of={run} />
        </p>
        <p className="flex min-w-0 items-center gap-2 text-12 text-fg-3">
          <span className="shrink-0">{run.shortId}</span>
          <AdapterMark adapter={run.adapter} className="shrink-0" />
          {live ? <LiveLine run={run} /> : <Ending run={run} />}
        </p>
      </div>
      <Figures>
        {run.startedAt && <Duration from={run.startedAt} to={run.endedAt} className="text-fg-2" />}
        <span className="flex gap-2">
          <Tokens usage={run.usage} className="relative z-1" />
          {!live && run.endedAt && <Time at={run.endedAt} className="relative z-1 max-md:hidden" />}
        </span>
      </Figures>
    </li>
  )
}

function Figures({ children }: { children: ReactNode }) {
  return (
    <span className="flex shrink-0 flex-col items-end text-right text-12 text-fg-3">
      {children}
    </span>
  )
}

/** The goal, and the task in it. */
function Subject({ of }: { of: AgentRun | Waiting }) {
  return (
    <bdi className="min-w-0 truncate text-fg-2">
      <ShortId id={of.taskShortId ?? of.goalShortId} className="mr-1.5 text-12" />
      {of.taskTitle ?? of.goalTitle}
    </bdi>
  )
}

function LiveLine({ run }: { run: AgentRun }) {
  const line = useLastLine(run.id, run.lastLine)
  return <bdi className="min-w-0 truncate text-fg-2">{line ?? 'The agent is starting.'}</bdi>
}

function Ending({ run }: { run: AgentRun }) {
  const word = lookOf(run.status).word
  const why = run.stoppedBy ? `stopped by ${actorName(run.stoppedBy)}` : (run.exitDetail ?? '')
  return (
    <bdi className={cn('min-w-0 truncate', run.status === 'failed' && 'text-danger')}>
      {run.status === 'done' ? run.lastLine : [word, why].filter(Boolean).join(': ')}
    </bdi>
  )
}

/** Work that waits for its place in the pool, and why. */
export function WaitingRow({ waiting }: { waiting: Waiting }) {
  return (
    <li className="relative flex min-h-13 items-center gap-3 border-b border-line/60 px-4 py-1.5">
      <StatusIcon status="in_line" quiet size={16} className="self-start pt-1" />
      <div className="min-w-0 flex-1">
        <p className="flex min-w-0 items-baseline gap-2">
          <Link
            to="/goals/$id"
            params={{ id: waiting.goalShortId }}
            className="shrink-0 font-medium outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-focus"
          >
            {stageTitle(waiting.stage)}
          </Link>
          <Subject of={waiting} />
        </p>
        <p className="flex min-w-0 items-center gap-2 text-12 text-fg-3">
          <AdapterMark adapter={waiting.adapter} className="shrink-0" />
          <span className="min-w-0 truncate">{waiting.reason}</span>
        </p>
      </div>
      <Figures>
        <span className="text-fg-2">{ordinal(waiting.position)} in line</span>
        <Duration from={waiting.since} to={null} />
      </Figures>
    </li>
  )
}

const rules = new Intl.PluralRules('en', { type: 'ordinal' })
const SUFFIXES: Readonly<Record<string, string>> = { one: 'st', two: 'nd', few: 'rd', other: 'th' }
const ordinal = (position: number) => `${position}${SUFFIXES[rules.select(position)]}`
