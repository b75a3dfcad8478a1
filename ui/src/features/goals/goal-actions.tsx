import { useMutation } from '@tanstack/react-query'
import { CircleSlash, Copy, Ellipsis, ExternalLink, Pause, Play, RotateCw } from 'lucide-react'
import { useMemo, useState } from 'react'
import type { Goal } from '../../../../contracts/schemas.ts'
import { type Action, useActions } from '../../app/actions/registry.ts'
import { call } from '../../app/api.ts'
import { copy, toastError } from '../../app/toasts.ts'
import { Button, IconButton } from '../../components/button.tsx'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { Menu, MenuItem, MenuLink, MenuSeparator } from '../../components/menu.tsx'
import { OtherProfile } from './other-profile.tsx'

const ACTS = {
  pause: { route: 'pauseGoal', failed: 'Pause failed' },
  resume: { route: 'resumeGoal', failed: 'Resume failed' },
  retry: { route: 'retryGoal', failed: 'Retry failed' },
  cancel: { route: 'cancelGoal', failed: 'Cancel failed' },
} as const
type Act = keyof typeof ACTS

/** What can be done with a goal in its state: as buttons, in a menu, and by key. */
export function GoalActions({ goal }: { goal: Goal }) {
  const [confirming, setConfirming] = useState(false)
  const { id, shortId, title, status, paused } = goal
  const [profile, setProfile] = useState<string>()
  const act = useMutation({
    mutationFn: (what: Act) => {
      if (what === 'pause' || what === 'cancel')
        return call(ACTS[what].route, { params: { id }, body: {} })
      const body = profile === undefined ? {} : { profile }
      return call(ACTS[what].route, { params: { id }, body })
    },
    onSuccess: () => setProfile(undefined),
    onError: (error, what) => toastError(ACTS[what].failed, error),
  })
  const { mutate } = act
  const open = status === 'active' || status === 'paused' || status === 'needs_attention'
  useActions(
    useMemo((): Action[] => {
      const shared = { scope: 'Goal', subtitle: `${shortId} ${title}` }
      return [
        {
          ...shared,
          id: 'goal.pause',
          title: paused ? 'Resume goal' : 'Pause goal',
          keys: 'p',
          icon: paused ? Play : Pause,
          enabledWhen: () => open,
          run: () => mutate(paused ? 'resume' : 'pause'),
        },
        {
          ...shared,
          id: 'goal.retry',
          title: 'Retry failed stage',
          icon: RotateCw,
          enabledWhen: () => status === 'needs_attention',
          run: () => mutate('retry'),
        },
        {
          ...shared,
          id: 'goal.cancel',
          title: 'Cancel goal',
          icon: CircleSlash,
          enabledWhen: () => open,
          run: () => setConfirming(true),
        },
      ]
    }, [shortId, title, status, paused, open, mutate]),
  )
  return (
    <>
      {(status === 'needs_attention' || status === 'paused') && (
        <OtherProfile goal={goal} value={profile} onChange={setProfile} />
      )}
      {status === 'needs_attention' && (
        <Button tone="primary" icon={RotateCw} busy={act.isPending} onClick={() => mutate('retry')}>
          Retry
        </Button>
      )}
      {paused && (
        <Button
          tone={status === 'paused' ? 'primary' : 'secondary'}
          icon={Play}
          keys="p"
          busy={act.isPending}
          onClick={() => mutate('resume')}
        >
          Resume
        </Button>
      )}
      {status === 'active' && (
        <Button icon={Pause} keys="p" busy={act.isPending} onClick={() => mutate('pause')}>
          Pause
        </Button>
      )}
      <Menu trigger={<IconButton icon={Ellipsis} label="More" />}>
        <MenuItem icon={Copy} onSelect={() => void copy(window.location.href, 'Link copied')}>
          Copy link
        </MenuItem>
        {goal.workflowUrl && (
          <MenuLink href={goal.workflowUrl} icon={ExternalLink}>
            Open in Temporal
          </MenuLink>
        )}
        {open && (
          <>
            <MenuSeparator />
            <MenuItem icon={CircleSlash} danger onSelect={() => setConfirming(true)}>
              Cancel goal…
            </MenuItem>
          </>
        )}
      </Menu>
      <ConfirmDialog
        open={confirming}
        title={`Cancel ${shortId}?`}
        detail={`“${title}” ends: its agents are stopped and its reviews are void. Its branch and what was written stay.`}
        confirm="Cancel goal"
        dismiss="Keep it"
        onConfirm={async () => {
          await act.mutateAsync('cancel').catch(() => undefined) // told by the toast above
        }}
        onClose={() => setConfirming(false)}
      />
    </>
  )
}
