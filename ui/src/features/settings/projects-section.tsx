import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Plus, Trash2 } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import type { Body } from '../../../../contracts/api.ts'
import type { CheckCommand, Project } from '../../../../contracts/schemas.ts'
import { call } from '../../app/api.ts'
import { profilesQuery, projectsQuery, withAnswer } from '../../app/queries.ts'
import { explain, toastError } from '../../app/toasts.ts'
import { Button, IconButton } from '../../components/button.tsx'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { Select } from '../../components/select.tsx'
import { ErrorState, SkeletonRows } from '../../components/states.tsx'
import { Switch } from '../../components/switch.tsx'
import { SuggestionList } from '../suggestions/suggestion-list.tsx'
import { AddProjectForm } from './add-project-form.tsx'
import { ConventionsInput } from './conventions-input.tsx'
import { NETWORK_OPTIONS } from './network-options.ts'
import { Saved } from './setting-row.tsx'
import { ValueInput } from './value-input.tsx'

/** The registered repositories and what holds in each. */
export function ProjectsSection() {
  const { data, error, refetch } = useQuery(projectsQuery())
  const [adding, setAdding] = useState(false)
  if (error && !data) return <ErrorState error={error} onRetry={() => void refetch()} />
  if (!data) return <SkeletonRows rows={3} label="Loading projects" />
  return (
    <div className="flex flex-col">
      {data.items.map((project) => (
        <ProjectCard key={project.id} project={project} />
      ))}
      <div className="px-4 py-3">
        <Button icon={Plus} onClick={() => setAdding(true)}>
          Add project
        </Button>
      </div>
      <Dialog open={adding} onClose={() => setAdding(false)} title="Add project">
        <div className="overflow-y-auto px-4 py-4">
          <AddProjectForm autoFocus onAdded={() => setAdding(false)} />
        </div>
      </Dialog>
    </div>
  )
}

const OWN_PROFILE = '*'

function ProjectCard({ project }: { project: Project }) {
  const client = useQueryClient()
  const { data: profiles } = useQuery(profilesQuery())
  const [asking, setAsking] = useState<'remove' | 'trust'>()
  const { id, name } = project
  const change = useMutation({
    scope: { id: `project ${id}` }, // one after another, each made from the answer to the one before
    mutationFn: (body: Body<'updateProject'>) => {
      const seen = client.getQueryData(projectsQuery().queryKey)?.items.find((one) => one.id === id)
      return call('updateProject', { params: { id }, body }, { seen })
    },
    onSuccess: (answer) => client.setQueryData(projectsQuery().queryKey, withAnswer(answer)),
    onError: () => client.invalidateQueries(projectsQuery()), // it may be another window's by now
  })
  const remove = useMutation({
    mutationFn: () => call('deleteProject', { params: { id } }),
    onError: (error) => toastError(`${name} was not removed`, error),
  })
  return (
    <section aria-label={`Project ${name}`} className="border-b border-line/60 px-4 py-3">
      <div className="flex items-center gap-2">
        <ValueInput
          label="Name of the project"
          value={name}
          onSave={(next) => change.mutate({ name: next })}
          className="-ml-2 w-56 border-transparent bg-transparent px-2 font-medium hover:border-line-strong"
        />
        <Saved state={change.isSuccess ? 'saved' : 'idle'} key={change.submittedAt} />
        <IconButton
          icon={Trash2}
          label={`Remove ${name}`}
          className="ml-auto"
          onClick={() => setAsking('remove')}
        />
      </div>
      <p className="mb-2 truncate font-mono text-12 text-fg-3" title={project.path}>
        <span className="mr-2 font-sans">{project.shortId}</span>
        <bdi>{project.path}</bdi>
      </p>
      {change.error && (
        <p role="alert" className="mb-2 text-12 text-danger">
          {explain(change.error)}
        </p>
      )}
      <Row label="Trusted" note="Its goals may run agents and its own check commands here.">
        <Switch
          label={`${name} is trusted`}
          checked={project.trusted}
          onChange={(on) => (on ? setAsking('trust') : change.mutate({ trusted: false }))}
        />
      </Row>
      <Row label="Default branch" note="Where goals are merged that name no other.">
        <ValueInput
          label={`Default branch of ${name}`}
          value={project.defaultBranch}
          invalid={change.isError}
          onSave={(defaultBranch) => change.mutate({ defaultBranch })}
          className="w-40 font-mono text-12"
        />
      </Row>
      <Row label="Profile" note="For goals that name no other.">
        <Select
          label={`Profile of ${name}`}
          value={project.profileId ?? OWN_PROFILE}
          onChange={(value) => change.mutate({ profile: value === OWN_PROFILE ? null : value })}
          options={[
            { value: OWN_PROFILE, label: 'Default' },
            ...(profiles?.items ?? [])
              .filter((one) => one.name !== 'Default')
              .map((one) => ({ value: one.id, label: one.name })),
          ]}
        />
      </Row>
      <Row
        label="Sandbox"
        note="Shut in, its agents and checks see its worktree and nothing else of yours."
      >
        <Select
          label={`Sandbox of ${name}`}
          value={project.sandbox}
          onChange={(value) => change.mutate({ sandbox: value as Project['sandbox'] })}
          options={[
            { value: 'none', label: 'None' },
            { value: 'bwrap', label: 'bubblewrap' },
          ]}
        />
      </Row>
      {project.sandbox !== 'none' && (
        <Row label="Network" note="What they reach. Never the servers of this machine.">
          <Select
            label={`Network of ${name}`}
            value={project.network}
            onChange={(value) => change.mutate({ network: value as Project['network'] })}
            options={NETWORK_OPTIONS}
          />
        </Row>
      )}
      <div className="mt-1 mb-2 flex flex-col gap-1">
        <span className="text-fg-2">Conventions</span>
        <span className="text-12 text-fg-3">
          Every agent that works here is told, from its next prompt on, besides what the
          repository’s own CLAUDE.md, AGENTS.md or GEMINI.md says.
        </span>
        <ConventionsInput
          of={`project/${id}`}
          label={`Conventions of ${name}`}
          value={project.conventions}
          onSave={(conventions) => change.mutate({ conventions })}
        />
      </div>
      <SuggestionList project={project.id} />
      <Checks project={project} onSave={(checks) => change.mutate({ checks })} />
      <ConfirmDialog
        open={asking === 'remove'}
        title={`Remove ${name}?`}
        detail="Dispatch forgets it. The repository is not touched, and the history of its goals stays."
        confirm="Remove project"
        dismiss="Keep it"
        onConfirm={async () => {
          await remove.mutateAsync().catch(() => undefined) // told by the toast above
        }}
        onClose={() => setAsking(undefined)}
      />
      <ConfirmDialog
        open={asking === 'trust'}
        title={`Trust ${name}?`}
        detail="Agents will work on it and its check commands will run on this machine, with your rights. Do it only for code that you would run yourself."
        confirm="Trust it"
        onConfirm={() => change.mutate({ trusted: true })}
        onClose={() => setAsking(undefined)}
      />
    </section>
  )
}

function Row(props: { label: string; note: string; children: ReactNode }) {
  return (
    <div className="flex min-h-9 items-center gap-3 touch:min-h-12">
      <span className="w-32 shrink-0 text-fg-2 max-md:w-auto max-md:shrink">{props.label}</span>
      <span className="min-w-0 flex-1 text-12 text-fg-3 max-md:hidden">{props.note}</span>
      <span className="min-w-0 max-md:ml-auto">{props.children}</span>
    </div>
  )
}

/** Commands that verification runs. A new one is stored once it has both a name and a command. */
function Checks(props: { project: Project; onSave: (checks: CheckCommand[]) => void }) {
  const { checks, name } = props.project
  const [fresh, setFresh] = useState<CheckCommand>()
  const replace = (index: number, next: CheckCommand | undefined) =>
    props.onSave(checks.flatMap((check, at) => (at !== index ? [check] : next ? [next] : [])))
  const setNew = (next: CheckCommand) => {
    if (next.name === '' || next.command === '') return setFresh(next)
    setFresh(undefined)
    props.onSave([...checks, next])
  }
  return (
    <div className="mt-1">
      <div className="flex min-h-9 items-center gap-3">
        <span className="w-32 shrink-0 text-fg-2">Checks</span>
        <span className="min-w-0 flex-1 text-12 text-fg-3 max-md:hidden">
          {checks.length === 0
            ? 'None set: Dispatch finds tests, lint and build.'
            : 'Run in this order by Verify.'}
        </span>
        <Button
          size="sm"
          tone="ghost"
          icon={Plus}
          className="max-md:ml-auto"
          onClick={() => setFresh({ name: '', command: '' })}
        >
          Add check
        </Button>
      </div>
      <ul className="flex flex-col gap-1">
        {[...checks, ...(fresh ? [fresh] : [])].map((check, index) => {
          const isNew = index === checks.length
          const save = (next: CheckCommand) => (isNew ? setNew(next) : replace(index, next))
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: a check has no identity but its place
            <li key={index} className="flex gap-1.5">
              <ValueInput
                label={`Name of check ${index + 1} of ${name}`}
                placeholder="test"
                value={check.name}
                onSave={(text) => save({ ...check, name: text })}
                className="w-28"
              />
              <ValueInput
                label={`Command of check ${index + 1} of ${name}`}
                placeholder="npm test"
                value={check.command}
                onSave={(command) => save({ ...check, command })}
                className="font-mono text-12"
              />
              <IconButton
                icon={Trash2}
                label={`Remove check ${check.name}`}
                onClick={() => (isNew ? setFresh(undefined) : replace(index, undefined))}
              />
            </li>
          )
        })}
      </ul>
    </div>
  )
}
