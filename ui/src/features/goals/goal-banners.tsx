import { Link } from '@tanstack/react-router'
import { Clock3, Eye, Play, RotateCw } from 'lucide-react'
import type { ComponentProps, ReactNode } from 'react'
import { isReviewWait } from '../../../../contracts/figures.ts'
import type { Goal } from '../../../../contracts/schemas.ts'
import { STAGE_TITLES } from '../../../../contracts/stages.ts'
import { standsStill } from '../../app/queries.ts'
import { AdapterMark } from '../../components/adapter-mark.tsx'
import { Button, buttonClass } from '../../components/button.tsx'
import { InlineCode } from '../../components/inline-code.tsx'
import { StatusIcon } from '../../components/status-icon.tsx'
import { formatFull, plural } from '../../lib/format.ts'
import { OtherProfile } from './other-profile.tsx'
import type { GoalActs } from './use-goal-acts.ts'

interface Props {
  goal: Goal
  acts: GoalActs
}

/** Above everything else of a goal: why it does not go on, each with the way to let it. */
export function GoalBanners({ goal, acts }: Props) {
  return (
    <>
      <Attention goal={goal} acts={acts} />
      <Paused goal={goal} acts={acts} />
      <Limited goal={goal} acts={acts} />
      <Still goal={goal} />
      <Reviews goal={goal} />
    </>
  )
}

const waitsForProvider = ({ status, stages, working }: Goal) =>
  status === 'active' && working.length === 0 && stages.some(({ resumesAt }) => resumesAt !== null)

/** Why it is in its state, where no banner says so. */
export function whyBeside(goal: Goal): string | null {
  const isSaid = goal.status === 'needs_attention' || goal.status === 'paused' || standsStill(goal)
  return isSaid ? null : whyOf(goal)
}

/** The reviews that a goal waits for say more of it themselves, and when all of them are decided the goal says so a moment later. */
const whyOf = (goal: Goal): string | null =>
  waitsForProvider(goal) || isReviewWait(goal.reason) ? null : goal.reason

/** One line that cannot be missed; what can be done about it is at its end, or below it where there is no room. */
function Banner(props: {
  label: string
  tone: 'warn' | 'quiet'
  icon: ReactNode
  children: ReactNode
  actions?: ReactNode
}) {
  return (
    <section
      aria-label={props.label}
      className={`flex shrink-0 flex-wrap items-center gap-x-3 gap-y-2 border-b px-4 py-2 ${props.tone === 'warn' ? 'bg-warn-soft' : 'bg-sunken'}`}
    >
      <div className="flex min-w-0 flex-1 basis-64 items-start gap-3">
        <span className="flex h-5 shrink-0 items-center">{props.icon}</span>
        <p className="min-w-0 flex-1 break-words">{props.children}</p>
      </div>
      {props.actions && <div className="flex items-center gap-2 max-md:pl-7">{props.actions}</div>}
    </section>
  )
}

/** Lets the goal go on: as before, or with the agents of another profile. */
function GoOn({
  goal,
  acts,
  by,
  ...button
}: Props & { by: 'retry' | 'resume' } & ComponentProps<typeof Button>) {
  return (
    <>
      <OtherProfile goal={goal} value={acts.profile} onChange={acts.setProfile} />
      <Button {...button} busy={acts.isPending} onClick={() => acts.act(by)} />
    </>
  )
}

/** What went wrong, and how it goes on: as before, or with other agents. */
function Attention({ goal, acts }: Props) {
  if (goal.status !== 'needs_attention') return null
  return (
    <Banner
      label="What it needs"
      tone="warn"
      icon={<StatusIcon status={goal.status} quiet size={16} />}
      actions={
        <GoOn goal={goal} acts={acts} by="retry" tone="primary" icon={RotateCw}>
          Retry
        </GoOn>
      }
    >
      <span className="font-medium">{STAGE_TITLES[goal.stage]} needs you: </span>
      <bdi>
        <InlineCode text={goal.reason ?? 'no reason was given'} />
      </bdi>
    </Banner>
  )
}

/** That nothing is done because a person wants it so, and how it goes on. */
function Paused({ goal, acts }: Props) {
  if (goal.status !== 'paused') return null
  return (
    <Banner
      label="Paused"
      tone="quiet"
      icon={<StatusIcon status={goal.status} quiet size={16} />}
      actions={
        <GoOn goal={goal} acts={acts} by="resume" tone="primary" icon={Play} keys="p">
          Resume
        </GoOn>
      }
    >
      <bdi className="inline-block first-letter:uppercase">
        <InlineCode text={goal.reason ?? 'paused'} />
      </bdi>
    </Banner>
  )
}

/** That a provider is waited for and until when, with the way not to wait. */
function Limited({ goal, acts }: Props) {
  const waiting = goal.stages.filter(({ resumesAt }) => resumesAt !== null)
  const [first] = waiting.toSorted((a, b) => (a.resumesAt ?? '').localeCompare(b.resumesAt ?? ''))
  if (!first?.resumesAt || goal.status !== 'active') return null
  return (
    <Banner
      label="Waits for a provider"
      tone="quiet"
      icon={<Clock3 size={15} className="text-fg-3" aria-hidden="true" />}
      actions={
        <GoOn goal={goal} acts={acts} by="retry" icon={RotateCw}>
          Try now
        </GoOn>
      }
    >
      <span className="font-medium">
        {STAGE_TITLES[first.stage]} waits for{' '}
        {first.adapter === null ? 'its agent' : <AdapterMark adapter={first.adapter} />}
      </span>{' '}
      and goes on by itself at <time dateTime={first.resumesAt}>{formatFull(first.resumesAt)}</time>
      {waiting.length > 1 && `; ${waiting.length - 1} more stages wait`}.
    </Banner>
  )
}

/** Why nothing goes on although nobody is asked: the stages alone would look at work. */
function Still({ goal }: { goal: Goal }) {
  const why = whyOf(goal)
  if (!standsStill(goal) || why === null) return null
  return (
    <Banner
      label="Why it waits"
      tone="quiet"
      icon={<Clock3 size={15} className="text-fg-3" aria-hidden="true" />}
    >
      <bdi className="inline-block first-letter:uppercase">
        <InlineCode text={why} />
      </bdi>
    </Banner>
  )
}

/** What the goal waits for, with the way to give it. */
function Reviews({ goal }: { goal: Goal }) {
  const pending = goal.reviews.filter(({ status }) => status === 'pending')
  const [first] = pending
  if (!first || goal.status === 'cancelled') return null
  return (
    <Banner
      label="Reviews that wait for you"
      tone="warn"
      icon={<Eye size={15} className="text-warn" aria-hidden="true" />}
      actions={
        <Link
          to="/reviews/$id"
          params={{ id: first.shortId }}
          className={buttonClass({ tone: 'primary' })}
        >
          Review {first.shortId}
        </Link>
      }
    >
      <span className="font-medium">{plural(pending.length, 'review')} for you: </span>
      <bdi>{first.title}</bdi>
      {pending.length > 1 && ` and ${pending.length - 1} more`}
    </Banner>
  )
}
