import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useRef } from 'react'
import { ProblemError } from '../../../../client/caller.ts'
import { formatTokens } from '../../../../contracts/figures.ts'
import { parseTokenCount } from '../../../../contracts/token-count.ts'
import { useAction } from '../../app/actions/registry.ts'
import { call } from '../../app/api.ts'
import { adaptersQuery, profilesQuery, projectsQuery, settingsQuery } from '../../app/queries.ts'
import { explain, toast } from '../../app/toasts.ts'
import { useUi } from '../../app/ui-state.ts'
import { Button } from '../../components/button.tsx'
import { Dialog, DialogFooter } from '../../components/dialog.tsx'
import { Field, Input } from '../../components/field.tsx'
import { Combobox, Select } from '../../components/select.tsx'
import { clearDraft, useGoalDraft } from './goal-draft.ts'
import { missingAgents, ownProfile } from './goal-profile.ts'

const DEFAULT_PROFILE = 'default'

/** Files a goal. What was written stays as a draft until it is filed. */
export function NewGoalDialog({ onClose }: { onClose: () => void }) {
  const given = useUi((state) => state.newGoalText)
  const { project: shown } = useSearch({ strict: false }) as { project?: string }
  const projects = useQuery(projectsQuery()).data?.items
  const profiles = useQuery(profilesQuery()).data?.items
  const adapters = useQuery(adaptersQuery()).data?.items
  const settings = useQuery(settingsQuery()).data
  const navigate = useNavigate()
  const text = useRef<HTMLTextAreaElement>(null)
  const [draft, change] = useGoalDraft({ description: given, ...(shown && { project: shown }) })
  const known = projects?.find(({ id, shortId }) => [id, shortId].includes(draft.project ?? ''))
  const project = known ?? projects?.[0]
  const own = ownProfile(profiles ?? [], project)
  const profile = draft.profile ? profiles?.find(({ name }) => name === draft.profile) : own
  const missing = profile && adapters && missingAgents(profile, adapters)
  const budget = parseTokenCount(draft.budget)
  const badBudget = draft.budget.trim() !== '' && budget === undefined
  const file = useMutation({
    mutationFn: (description: string) =>
      call('createGoal', {
        body: {
          project: project?.id ?? draft.project ?? '',
          description,
          ...(draft.profile ? { profile: draft.profile } : {}),
          ...(draft.branch.trim() ? { targetBranch: draft.branch.trim() } : {}),
          ...(budget === undefined ? {} : { goalBudget: budget }),
        },
      }),
    onSuccess(goal, description) {
      toast(`${goal.shortId} filed`, {
        tone: 'ok',
        detail: 'The spec comes first; you approve it before any code is written.',
      })
      // who closed the dialog while it was sent may be writing the next one in it
      if (!clearDraft(description)) return
      onClose()
      void navigate({ to: '/goals/$id', params: { id: goal.shortId } })
    },
  })
  const errors = errorsOf(file.error)
  const empty = draft.description.trim() === ''
  const submit = () => {
    if (!empty && !badBudget && !file.isPending) file.mutate(draft.description)
  }
  // no key of the dialog: after a list has closed nothing of it has the focus for a moment
  useAction({
    id: 'goal.file',
    title: 'File goal',
    scope: 'New goal',
    keys: '$mod+Enter',
    onlyKeys: true,
    inDialog: true,
    run: submit,
  })
  return (
    <Dialog open onClose={onClose} title="New goal" width="lg" initialFocus={text}>
      <div className="flex min-h-0 flex-col overflow-y-auto">
        <textarea
          ref={text}
          dir="auto"
          aria-label="What should exist"
          aria-invalid={errors.description ? true : undefined}
          placeholder="What should exist when this is done? Say what matters; the spec will say the rest."
          value={draft.description}
          readOnly={file.isPending} // what is written now would be in no goal
          onChange={(event) => change({ description: event.target.value })}
          className="field-sizing-content max-h-[46dvh] min-h-36 w-full resize-none bg-transparent px-4 py-3 text-14 outline-none touch:text-16"
        />
        {errors.description && (
          <p role="alert" className="px-4 pb-2 text-12 text-danger">
            {errors.description}
          </p>
        )}
        <div className="flex flex-wrap items-start gap-x-3 gap-y-2 px-4 pb-3">
          <Field label="Project" error={errors.project} className="max-w-48 min-w-36">
            {({ id }) => (
              <Combobox
                id={id}
                label="Project"
                placeholder={projects?.length === 0 ? 'No project yet' : 'Project'}
                value={project?.id ?? draft.project}
                onChange={(value) => change({ project: value })}
                options={(projects ?? []).map((one) => ({
                  value: one.id,
                  label: one.name,
                  detail: one.path,
                }))}
              />
            )}
          </Field>
          <Field label="Profile" error={errors.profile} className="max-w-44 min-w-32">
            {({ id }) => (
              <Select
                id={id}
                label="Profile"
                value={draft.profile ?? DEFAULT_PROFILE}
                onChange={(value) =>
                  change({ profile: value === DEFAULT_PROFILE ? undefined : value })
                }
                options={[
                  {
                    value: DEFAULT_PROFILE,
                    label: own ? `Project's own: ${own.name}` : "Project's own",
                  },
                  ...(profiles ?? []).map(({ name }) => ({ value: name, label: name })),
                ]}
              />
            )}
          </Field>
          <Field label="Target branch" error={errors.targetBranch} className="w-48">
            {(control) => (
              <Input
                {...control}
                className="h-7 font-mono text-12"
                spellCheck={false}
                placeholder={project?.defaultBranch ?? 'main'}
                value={draft.branch}
                onChange={(event) => change({ branch: event.target.value })}
              />
            )}
          </Field>
          <Field
            label="Token budget"
            error={
              badBudget
                ? 'Write tokens as 2_000_000, 200k or 1.5m; 0 sets no limit.'
                : errors.goalBudget
            }
            className="w-32"
          >
            {(control) => (
              <Input
                {...control}
                className="h-7 text-12"
                inputMode="text"
                autoComplete="off"
                placeholder={tokenPlaceholder(settings?.goalBudget)}
                value={draft.budget}
                onChange={(event) => change({ budget: event.target.value })}
              />
            )}
          </Field>
        </div>
        {missing && (
          <p role="status" className="mx-4 mb-3 rounded-md bg-warn-soft px-3 py-2 text-warn">
            {missing}
          </p>
        )}
        {errors.other && (
          <p role="alert" className="mx-4 mb-3 rounded-md bg-danger-soft px-3 py-2 text-danger">
            {errors.other}
          </p>
        )}
      </div>
      <DialogFooter>
        <span className="mr-auto text-12 text-fg-3 max-md:hidden">
          Kept as a draft while you write.
        </span>
        <Button onClick={onClose}>Close</Button>
        <Button
          tone="primary"
          keys="$mod+Enter"
          busy={file.isPending}
          disabled={empty || badBudget}
          onClick={submit}
        >
          File goal
        </Button>
      </DialogFooter>
    </Dialog>
  )
}

interface Errors {
  description?: string
  project?: string
  profile?: string
  targetBranch?: string
  goalBudget?: string
  other?: string
}

/** What holds when nothing is written. */
const tokenPlaceholder = (budget = 0) => (budget === 0 ? 'No limit' : formatTokens(budget))

/** Each beside its field where the server named one. */
function errorsOf(error: Error | null): Errors {
  if (!error) return {}
  if (!(error instanceof ProblemError)) return { other: explain(error) }
  const { code, errors = [] } = error.problem
  const named = Object.fromEntries(
    errors.map(({ pointer, detail }) => [pointer.slice(1), `It ${detail}.`]),
  ) as Errors
  if (Object.keys(named).length > 0) return named
  if (/branch|target/.test(code)) return { targetBranch: explain(error) }
  return { other: explain(error) }
}
