import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Pause, Play } from 'lucide-react'
import { useMemo } from 'react'
import { actorName } from '../../../../contracts/figures.ts'
import type { PoolState } from '../../../../contracts/schemas.ts'
import { STAGE_TITLES, type Stage } from '../../../../contracts/stages.ts'
import { type Action, useActions } from '../../app/actions/registry.ts'
import { call } from '../../app/api.ts'
import { toastError } from '../../app/toasts.ts'
import { Button } from '../../components/button.tsx'
import { Duration, Time } from '../../components/figures.tsx'
import { Tooltip } from '../../components/tooltip.tsx'
import { cn } from '../../lib/cn.ts'
import { plural } from '../../lib/format.ts'

const title = (stage: string) => STAGE_TITLES[stage as Stage] ?? stage

/** The pool: how many may work and do, who holds a place since when, and the one switch that lets no more begin. */
export function PoolPanel({ pool }: { pool: PoolState }) {
  const client = useQueryClient()
  const { paused } = pool
  const { mutate, isPending } = useMutation({
    mutationFn: (pause: boolean) => call(pause ? 'pausePool' : 'resumePool', { body: {} }),
    onSuccess: (state) => client.setQueryData(['pool'], state),
    onError: (error, pause) => toastError(pause ? 'Pause failed' : 'Resume failed', error),
  })
  useActions(
    useMemo(
      (): Action[] => [
        {
          id: 'pool.pause',
          title: paused ? 'Resume pool' : 'Pause pool',
          scope: 'Agents',
          keys: 'p',
          icon: paused ? Play : Pause,
          run: () => mutate(!paused),
        },
      ],
      [paused, mutate],
    ),
  )
  return (
    <div className="flex flex-col">
      <div className="flex items-center gap-2 px-4 pt-3">
        <h2 className="flex-1 font-medium">Pool</h2>
        <Button
          tone={paused ? 'primary' : 'secondary'}
          size="sm"
          icon={paused ? Play : Pause}
          keys="p"
          busy={isPending}
          onClick={() => mutate(!paused)}
        >
          {paused ? 'Resume' : 'Pause'}
        </Button>
      </div>
      {paused && (
        <p
          role="status"
          className="mx-4 mt-2 rounded-md bg-warn-soft px-2.5 py-1.5 text-12 text-warn"
        >
          Paused by {actorName(pool.pausedBy ?? 'somebody')}
          {pool.pausedAt && (
            <>
              , <Time at={pool.pausedAt} />
            </>
          )}
          . No agent starts; those at work go on.
        </p>
      )}
      <div className="flex flex-col gap-2 px-4 py-3">
        <Places pool={pool} />
        <p className="text-12 text-fg-2">
          <span className="figure">
            {pool.held.length} of {pool.maxConcurrent}
          </span>{' '}
          at work
          {pool.waiting.length > 0 && `, ${plural(pool.waiting.length, 'run')} in line`}
        </p>
        <p className="text-12 text-fg-3">
          At most {pool.maxPerGoal} for one goal.{' '}
          <Link
            to="/settings/$section"
            params={{ section: 'pool' }}
            className="rounded-sm text-fg-2 underline underline-offset-2 hover:text-fg"
          >
            Change limits
          </Link>
        </p>
      </div>
      {pool.held.length > 0 && (
        <section aria-labelledby="held" className="border-t py-2 max-lg:hidden">
          <h3 id="held" className="px-4 py-1 text-12 font-medium text-fg-2">
            Places held
          </h3>
          <ul>
            {pool.held.map((lease) => (
              <li key={lease.id} className="flex h-7 items-center gap-2 px-4 text-12">
                <span
                  data-adapter={lease.adapter}
                  className="size-2 shrink-0 rounded-[2px] bg-(--adapter)"
                  aria-hidden="true"
                />
                <span className="shrink-0">{title(lease.stage)}</span>
                <Link
                  to="/goals/$id"
                  params={{ id: lease.goalShortId }}
                  search={lease.taskShortId ? { panel: lease.taskShortId } : {}}
                  className="min-w-0 truncate rounded-sm text-fg-3 hover:text-fg"
                >
                  <bdi>
                    {lease.taskShortId ?? lease.goalShortId} {lease.taskTitle ?? lease.goalTitle}
                  </bdi>
                </Link>
                <Duration from={lease.since} to={null} className="ml-auto shrink-0 text-fg-3" />
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  )
}

/** More places than this are told in numbers only. */
const DRAWN = 40

/** A mark for each place: filled in its agent's colour, or free. */
function Places({ pool }: { pool: PoolState }) {
  const count = Math.max(pool.maxConcurrent, pool.held.length)
  if (count > DRAWN) return null
  return (
    <ol
      className="flex flex-wrap gap-1"
      aria-label={`${pool.held.length} of ${pool.maxConcurrent} places held`}
    >
      {Array.from({ length: count }, (_, index) => {
        const lease = pool.held[index]
        const label = lease
          ? `${title(lease.stage)} of ${lease.taskShortId ?? lease.goalShortId}`
          : pool.paused
            ? 'Free, but the pool is paused'
            : 'Free'
        return (
          <Tooltip key={lease?.id ?? `free-${index}`} label={label}>
            <li
              data-adapter={lease?.adapter}
              className={cn(
                'h-5 min-w-5 flex-1 rounded-sm',
                lease ? 'bg-(--adapter)' : 'border border-dashed border-line-strong',
              )}
            >
              <span className="sr-only">{label}</span>
            </li>
          </Tooltip>
        )
      })}
    </ol>
  )
}
