import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Ellipsis, Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import type { Body } from '../../../../contracts/api.ts'
import { DEMO_PROFILE, isBuiltIn } from '../../../../contracts/profile.ts'
import type { Profile } from '../../../../contracts/schemas.ts'
import { AGENT_STAGES, type AgentStage, STAGE_TITLES } from '../../../../contracts/stages.ts'
import { call } from '../../app/api.ts'
import { profilesQuery, withAnswer } from '../../app/queries.ts'
import { explain, toastError } from '../../app/toasts.ts'
import { AdapterMark } from '../../components/adapter-mark.tsx'
import { AdapterSelect } from '../../components/adapter-select.tsx'
import { Badge } from '../../components/badge.tsx'
import { Button, IconButton } from '../../components/button.tsx'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { Menu, MenuItem } from '../../components/menu.tsx'
import { ErrorState, SkeletonRows } from '../../components/states.tsx'
import { ProfileExtras } from './profile-extras.tsx'
import { Saved } from './setting-row.tsx'
import { ValueInput } from './value-input.tsx'

/** Profiles: for each stage its agent and model. */
export function ProfilesSection() {
  const { data, error, refetch } = useQuery(profilesQuery())
  const client = useQueryClient()
  const create = useMutation({
    mutationFn: (from: Profile) => {
      const names = new Set(data?.items.map(({ name }) => name))
      let name = `${from.name} copy`
      for (let n = 2; names.has(name); n += 1) name = `${from.name} copy ${n}`
      const { stages, conventions, secondOpinion, fallbacks, network } = from
      return call('createProfile', {
        body: { name, stages, conventions, secondOpinion, fallbacks, network },
      })
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ['profiles'] }),
    onError: (failure) => toastError('The profile could not be made', failure),
  })
  if (error && !data) return <ErrorState error={error} onRetry={() => void refetch()} />
  if (!data) return <SkeletonRows rows={3} label="Loading profiles" />
  const [first] = data.items
  return (
    <div className="flex flex-col">
      {data.items.map((profile) => (
        <ProfileCard key={profile.id} profile={profile} onCopy={() => create.mutate(profile)} />
      ))}
      {first && (
        <div className="px-4 py-3">
          <Button icon={Plus} busy={create.isPending} onClick={() => create.mutate(first)}>
            New profile
          </Button>
        </div>
      )}
    </div>
  )
}

function ProfileCard({ profile, onCopy }: { profile: Profile; onCopy: () => void }) {
  const client = useQueryClient()
  const [deleting, setDeleting] = useState(false)
  const { id, name, stages } = profile
  const builtIn = isBuiltIn(name)
  const isDemo = name === DEMO_PROFILE
  const change = useMutation({
    scope: { id: `profile ${id}` }, // one after another, each made from the answer to the one before
    mutationFn: (body: Body<'updateProfile'>) => {
      const seen = client.getQueryData(profilesQuery().queryKey)?.items.find((one) => one.id === id)
      return call('updateProfile', { params: { id }, body }, { seen })
    },
    onSuccess: (answer) => client.setQueryData(profilesQuery().queryKey, withAnswer(answer)),
    onError: () => client.invalidateQueries(profilesQuery()), // it may be another window's by now
  })
  const remove = useMutation({
    mutationFn: () => call('deleteProfile', { params: { id } }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['profiles'] }),
    onError: (error) => toastError(`${name} was not deleted`, error),
  })
  const setAll = (adapter: string) =>
    change.mutate({
      stages: Object.fromEntries(AGENT_STAGES.map((stage) => [stage, { adapter }])),
    })
  return (
    <section aria-label={`Profile ${name}`} className="border-b border-line/60 px-4 py-3">
      <div className="mb-2 flex items-center gap-2">
        {builtIn ? (
          <>
            <span className="font-medium">{name}</span>
            <Badge>built in</Badge>
          </>
        ) : (
          <ValueInput
            label="Name of the profile"
            value={name}
            onSave={(next) => change.mutate({ name: next })}
            invalid={change.isError}
            className="-ml-2 w-56 min-w-0 border-transparent bg-transparent px-2 font-medium hover:border-line-strong"
          />
        )}
        <Saved state={change.isSuccess ? 'saved' : 'idle'} key={change.submittedAt} />
        <span className="ml-auto" />
        {!isDemo && (
          <AdapterSelect
            auto
            label="All stages"
            value={undefined}
            placeholder="Set all…"
            onChange={setAll}
          />
        )}
        <Menu trigger={<IconButton icon={Ellipsis} label={`More for ${name}`} />}>
          <MenuItem icon={Plus} onSelect={onCopy}>
            Copy profile
          </MenuItem>
          {!builtIn && (
            <MenuItem icon={Trash2} danger onSelect={() => setDeleting(true)}>
              Delete profile…
            </MenuItem>
          )}
        </Menu>
      </div>
      {builtIn && (
        <p className="mb-2 text-12 text-fg-3">
          {isDemo
            ? 'It is the demo agent’s, which costs nothing, and keeps its name and agent.'
            : 'It keeps its name and cannot be deleted.'}{' '}
          Copy it to make one of your own.
        </p>
      )}
      {change.error && (
        <p role="alert" className="mb-2 text-12 text-danger">
          {explain(change.error)}
        </p>
      )}
      <ul className="flex flex-col gap-1">
        {AGENT_STAGES.map((stage) => (
          <StageRow
            key={stage}
            stage={stage}
            agent={stages[stage]}
            fixed={isDemo}
            onChange={(agent) => change.mutate({ stages: { [stage]: agent } })}
          />
        ))}
      </ul>
      <ProfileExtras profile={profile} onChange={change.mutate} />
      <ConfirmDialog
        open={deleting}
        title={`Delete ${name}?`}
        detail="Goals that began with it keep it to their end. It cannot be brought back."
        confirm="Delete profile"
        dismiss="Keep it"
        onConfirm={async () => {
          await remove.mutateAsync().catch(() => undefined) // told by the toast above
        }}
        onClose={() => setDeleting(false)}
      />
    </section>
  )
}

function StageRow(props: {
  stage: AgentStage
  agent: Profile['stages'][AgentStage]
  /** No other agent may do it. */
  fixed: boolean
  onChange: (agent: Profile['stages'][AgentStage]) => void
}) {
  const { stage, agent } = props
  const title = STAGE_TITLES[stage]
  return (
    <li className="grid grid-cols-[112px_184px_minmax(0,1fr)] items-center gap-2 max-md:grid-cols-2">
      <span className="text-fg-2 max-md:col-span-2">{title}</span>
      {props.fixed ? (
        <AdapterMark adapter={agent.adapter} />
      ) : (
        <AdapterSelect
          auto
          label={`Agent for ${title}`}
          value={agent.adapter}
          onChange={(adapter) => props.onChange({ adapter })} // a model of one agent means nothing to another
        />
      )}
      <ValueInput
        label={`Model for ${title}`}
        value={agent.model ?? ''}
        placeholder="The agent’s own choice"
        onSave={(model) =>
          props.onChange({ adapter: agent.adapter, ...(model === '' ? {} : { model }) })
        }
        className="max-w-72 font-mono text-12 placeholder:font-sans"
      />
    </li>
  )
}
