import { useQuery } from '@tanstack/react-query'
import { Command } from 'cmdk'
import { ArrowRight, SquarePen } from 'lucide-react'
import { useMemo, useState } from 'react'
import { parseId, shortId } from '../../../../contracts/ids.ts'
import { Dialog } from '../../components/dialog.tsx'
import { Kbd } from '../../components/kbd.tsx'
import { StatusIcon } from '../../components/status-icon.tsx'
import { goalStatus } from '../../features/goals/goal-groups.ts'
import { groupBy } from '../../lib/group-by.ts'
import { act } from '../actions/keyboard.ts'
import { type Action, enabledActions, keysOf, useRegistry } from '../actions/registry.ts'
import { openGoalsQuery } from '../queries.ts'
import { openNewGoal } from '../ui-state.ts'
import { bestGoals, goalName } from './best-goals.ts'
import { goToId } from './go-to-id.ts'
import { recentActions, rememberAction } from './recent-actions.ts'

const GROUP =
  '[&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-11 [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-fg-3'
const ITEM =
  'flex h-9 cursor-default items-center gap-2.5 rounded-md px-2 outline-none data-[selected=true]:bg-hover touch:h-11'

/** Everything that can be done here, goals by name, and any short id. Loaded on its own and in advance. */
export function CommandPalette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('')
  const actions = enabledActions(useRegistry((state) => state.actions)).filter(
    (one) => !one.onlyKeys,
  )
  const { data: goals } = useQuery(openGoalsQuery())
  const found = useMemo(() => bestGoals(goals?.items ?? [], text), [goals, text])
  const id = parseId(text)
  const close = (work: () => void) => () => {
    onClose()
    work()
  }
  const choose = (action: Action) =>
    close(() => {
      rememberAction(action.id)
      act(action)
    })
  const recent = recentActions()
  const first = recent.flatMap((known) => actions.find((action) => action.id === known) ?? [])
  const rest = groupBy(
    actions.filter((action) => !first.includes(action)),
    (action) => action.scope,
  )
  const groups: [string, Action[]][] = [
    ...(first.length > 0 ? [['Recent', first] as [string, Action[]]] : []),
    ...[...rest].reverse(),
  ]
  return (
    <Dialog open onClose={onClose} title="Command palette" bare width="md">
      <Command loop label="Command palette" className="flex min-h-0 flex-col">
        <Command.Input
          autoFocus
          value={text}
          onValueChange={setText}
          placeholder="Type a command, a goal or an id"
          className="h-11 shrink-0 border-b bg-transparent px-4 text-14 outline-none touch:text-16"
        />
        <Command.List className="max-h-[min(400px,60dvh)] overflow-y-auto p-1.5 pt-0.5">
          {id && 'kind' in id && (
            <Command.Item
              forceMount
              value={text}
              className={ITEM}
              onSelect={close(() => goToId(shortId(id.kind, id.number)))}
            >
              <ArrowRight size={15} className="text-fg-3" aria-hidden="true" />
              Go to {shortId(id.kind, id.number)}
            </Command.Item>
          )}
          {groups.map(([scope, own]) => (
            <Command.Group key={scope} heading={scope} className={GROUP}>
              {own.map((action) => (
                <ActionItem key={action.id} action={action} onSelect={choose(action)} />
              ))}
            </Command.Group>
          ))}
          {found.length > 0 && (
            <Command.Group heading="Goals" className={GROUP}>
              {found.map((goal) => (
                <Command.Item
                  key={goal.id}
                  value={goalName(goal)}
                  className={ITEM}
                  onSelect={close(() => goToId(goal.shortId))}
                >
                  <StatusIcon status={goalStatus(goal)} quiet />
                  <span className="text-fg-3">{goal.shortId}</span>
                  <bdi className="flex-1 truncate">{goal.title}</bdi>
                  <span className="truncate text-12 text-fg-3">{goal.projectName}</span>
                </Command.Item>
              ))}
            </Command.Group>
          )}
          {text.trim() !== '' && (
            <Command.Group heading="New" className={GROUP} forceMount>
              <Command.Item
                forceMount
                value={`new goal with ${text}`}
                className={ITEM}
                onSelect={close(() => openNewGoal(text.trim()))}
              >
                <SquarePen size={15} className="text-fg-3" aria-hidden="true" />
                <span className="truncate">
                  New goal: <bdi>“{text.trim()}”</bdi>
                </span>
              </Command.Item>
            </Command.Group>
          )}
        </Command.List>
      </Command>
    </Dialog>
  )
}

function ActionItem({ action, onSelect }: { action: Action; onSelect: () => void }) {
  const { icon: Icon } = action
  const [keys] = keysOf(action)
  return (
    <Command.Item
      value={`${action.title} ${action.subtitle ?? ''} ${action.id}`}
      keywords={action.keywords?.split(' ') ?? []}
      className={ITEM}
      onSelect={onSelect}
    >
      {Icon ? (
        <Icon size={15} className="text-fg-3" aria-hidden="true" />
      ) : (
        <span className="size-[15px]" />
      )}
      <span>{action.title}</span>
      <bdi className="min-w-0 flex-1 truncate text-12 text-fg-3">{action.subtitle}</bdi>
      {keys && <Kbd keys={keys} />}
    </Command.Item>
  )
}
