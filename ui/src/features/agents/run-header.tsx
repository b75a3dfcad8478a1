import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Copy, Ellipsis, Maximize2, OctagonX, Pause } from 'lucide-react'
import { useMemo, useState } from 'react'
import { actorName } from '../../../../contracts/figures.ts'
import type { AgentRunDetail } from '../../../../contracts/schemas.ts'
import { STAGE_TITLES } from '../../../../contracts/stages.ts'
import { type Action, useActions } from '../../app/actions/registry.ts'
import { call } from '../../app/api.ts'
import { copy, toast, toastError } from '../../app/toasts.ts'
import { AdapterMark } from '../../components/adapter-mark.tsx'
import { Button, IconButton } from '../../components/button.tsx'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { Cost, Duration, Tokens } from '../../components/figures.tsx'
import { Menu, MenuItem } from '../../components/menu.tsx'
import { StatusIcon } from '../../components/status-icon.tsx'

/** Who works on what, since when, for how much; and the ways to end it. `inPanel` leaves room for the panel's own button. */
export function RunHeader({ run, inPanel }: { run: AgentRunDetail; inPanel: boolean }) {
  const live = run.status === 'running'
  return (
    <header className="shrink-0 border-b pb-2.5 pl-4">
      <div className={`flex min-h-11 items-center gap-2.5 ${inPanel ? 'pr-11' : 'pr-3'}`}>
        <StatusIcon
          status={run.status}
          className="font-medium"
          {...(live && run.stoppedBy !== null ? { word: 'Stopping' } : {})}
        />
        {inPanel && <span className="whitespace-nowrap text-fg-3">{run.shortId}</span>}
        <h2 className="min-w-0 flex-1 truncate font-medium">
          <span className={inPanel ? undefined : 'sr-only'}>
            {STAGE_TITLES[run.stage]}
            {run.opinion === 2 && ', second opinion'}
          </span>
          {run.attempt > 1 && <span className="font-normal text-fg-3"> attempt {run.attempt}</span>}
        </h2>
        <RunActions run={run} live={live} inPanel={inPanel} />
      </div>
      <p className="flex min-w-0 flex-wrap items-center gap-x-2 pr-4 text-12 text-fg-2">
        <Link
          to="/goals/$id"
          params={{ id: run.goalShortId }}
          className="min-w-0 max-w-full truncate rounded-sm hover:text-fg hover:underline"
        >
          <span className="text-fg-3">{run.goalShortId}</span> <bdi>{run.goalTitle}</bdi>
        </Link>
        {run.taskShortId && (
          <Link
            to="/goals/$id"
            params={{ id: run.goalShortId }}
            search={{ panel: run.taskShortId }}
            className="min-w-0 max-w-full truncate rounded-sm hover:text-fg hover:underline"
          >
            <span className="text-fg-3">{run.taskShortId}</span> <bdi>{run.taskTitle}</bdi>
          </Link>
        )}
      </p>
      <p className="mt-1 flex flex-wrap items-center gap-x-3 pr-4 text-12 text-fg-3">
        <AdapterMark adapter={run.adapter} className="text-fg-2" />
        {run.model && <span className="font-mono text-11">{run.model}</span>}
        {run.startedAt && <Duration from={run.startedAt} to={run.endedAt} />}
        <Tokens usage={run.usage} />
        <Cost usage={run.usage} exact />
      </p>
      {run.exitDetail && run.status !== 'done' && (
        <p className="mt-1.5 mr-4 text-12 break-words text-fg-2">
          {run.stoppedBy ? `Stopped by ${actorName(run.stoppedBy)}.` : run.exitDetail}
        </p>
      )}
    </header>
  )
}

function RunActions(props: { run: AgentRunDetail; live: boolean; inPanel: boolean }) {
  const { run, live } = props
  const [confirming, setConfirming] = useState(false)
  const client = useQueryClient()
  const stop = useMutation({
    mutationFn: () => call('stopAgent', { params: { id: run.id }, body: {} }),
    onError: (error) => toastError('Stop failed', error),
    onSettled: () => client.invalidateQueries({ queryKey: ['agent'] }),
  })
  const pause = useMutation({
    mutationFn: () => call('pauseGoal', { params: { id: run.goalId }, body: {} }),
    onError: (error) => toastError('Pause failed', error),
    onSuccess: () => toast(`${run.goalShortId} is being paused`),
  })
  const canStop = live && run.stoppedBy === null
  useActions(
    useMemo((): Action[] => {
      const shared = { scope: 'Agent', subtitle: `${run.shortId} of ${run.goalShortId}` }
      return [
        {
          ...shared,
          id: 'agent.stop',
          title: 'Stop agent',
          icon: OctagonX,
          enabledWhen: () => canStop,
          run: () => setConfirming(true),
        },
      ]
    }, [run.shortId, run.goalShortId, canStop]),
  )
  const link = `${window.location.origin}/agents/${run.shortId}`
  return (
    <>
      {canStop && (
        <Button size="sm" icon={OctagonX} busy={stop.isPending} onClick={() => setConfirming(true)}>
          Stop
        </Button>
      )}
      {props.inPanel && (
        <Link
          to="/agents/$id"
          params={{ id: run.shortId }}
          aria-label="Open as page"
          title="Open as page"
          className="flex size-7 shrink-0 items-center justify-center rounded-md text-fg-2 hover:bg-hover hover:text-fg touch:size-9"
        >
          <Maximize2 size={14} aria-hidden="true" />
        </Link>
      )}
      <Menu trigger={<IconButton icon={Ellipsis} label="More" />}>
        <MenuItem icon={Copy} onSelect={() => void copy(link, 'Link copied')}>
          Copy link
        </MenuItem>
        {run.sessionId && (
          <MenuItem
            icon={Copy}
            onSelect={() => void copy(run.sessionId ?? '', 'Session id copied')}
          >
            Copy session id
          </MenuItem>
        )}
        {live && (
          <MenuItem icon={Pause} onSelect={() => pause.mutate()}>
            Pause {run.goalShortId}
          </MenuItem>
        )}
      </Menu>
      <ConfirmDialog
        open={confirming}
        title={`Stop ${run.shortId}?`}
        detail={`The agent ends now and ${STAGE_TITLES[run.stage]} of ${run.goalShortId} needs your attention. Its transcript and what it wrote stay; Retry starts it again.`}
        confirm="Stop agent"
        dismiss="Let it work"
        onConfirm={async () => {
          await stop.mutateAsync().catch(() => undefined) // told by the toast above
        }}
        onClose={() => setConfirming(false)}
      />
    </>
  )
}
