import { CircleSlash, Copy, Ellipsis, ExternalLink, Pause, Play, RotateCw } from 'lucide-react'
import { useMemo, useState } from 'react'
import type { Goal } from '../../../../contracts/schemas.ts'
import { type Action, useActions } from '../../app/actions/registry.ts'
import { copy } from '../../app/toasts.ts'
import { Button, IconButton } from '../../components/button.tsx'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { Menu, MenuItem, MenuLink, MenuSeparator } from '../../components/menu.tsx'
import type { GoalActs } from './use-goal-acts.ts'

/** What can be done with a goal in its state: as buttons, in a menu, and by key. */
export function GoalActions({ goal, acts }: { goal: Goal; acts: GoalActs }) {
  const [confirming, setConfirming] = useState(false)
  const { shortId, title, status, paused } = goal
  const { act } = acts
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
          run: () => act(paused ? 'resume' : 'pause'),
        },
        {
          ...shared,
          id: 'goal.retry',
          title: 'Retry failed stage',
          icon: RotateCw,
          enabledWhen: () => status === 'needs_attention',
          run: () => act('retry'),
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
    }, [shortId, title, status, paused, open, act]),
  )
  return (
    <>
      {status === 'needs_attention' && paused && (
        <Button icon={Play} keys="p" busy={acts.isPending} onClick={() => act('resume')}>
          Resume
        </Button>
      )}
      {status === 'active' && (
        <Button icon={Pause} keys="p" busy={acts.isPending} onClick={() => act('pause')}>
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
        onConfirm={() => acts.actAndWait('cancel')}
        onClose={() => setConfirming(false)}
      />
    </>
  )
}
