import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Lightbulb } from 'lucide-react'
import type { Suggestion } from '../../../../contracts/schemas.ts'
import { call } from '../../app/api.ts'
import { suggestionsQuery } from '../../app/queries.ts'
import { toast, toastError } from '../../app/toasts.ts'
import { Button } from '../../components/button.tsx'
import { Textarea } from '../../components/field.tsx'
import { Time } from '../../components/figures.tsx'
import { createDrafts } from '../../lib/kept-drafts.ts'

/** Corrections that were said again and again, each to be made a convention by one click. Nothing where there are none. */
export function SuggestionList(props: {
  project?: string
  /** Short id: only those to which a correction of this run belongs. */
  run?: string
}) {
  const { data } = useQuery(suggestionsQuery(props.project))
  const shown = data?.items.filter(
    ({ corrections }) =>
      props.run === undefined || corrections.some(({ runShortId }) => runShortId === props.run),
  )
  if (!shown || shown.length === 0) return null
  return (
    <ul aria-label="Suggested conventions" className="flex flex-col">
      {shown.map((suggestion) => (
        <SuggestionCard key={suggestion.id} suggestion={suggestion} />
      ))}
    </ul>
  )
}

const { useDraftOf, keep } = createDrafts<string>('dispatch.suggestions')

type Answer = 'project' | 'profile' | 'dismiss'

function SuggestionCard({ suggestion }: { suggestion: Suggestion }) {
  const { id, shortId, projectName, profileName, corrections } = suggestion
  // its text changes when it grows, and not under the hands of who writes it anew
  const text = useDraftOf(id) ?? suggestion.text
  const client = useQueryClient()
  const answer = useMutation({
    mutationFn: (what: Answer) => {
      if (what === 'dismiss') return call('dismissSuggestion', { params: { id }, body: {} })
      const words = text.trim() === suggestion.text ? {} : { text: text.trim() }
      return call('acceptSuggestion', { params: { id }, body: { into: what, ...words } })
    },
    onSuccess: async (_reply, what) => {
      const where = what === 'project' ? projectName : `the profile ${profileName}`
      if (what !== 'dismiss')
        toast(`Agents are told from now on, in ${where}`, { tone: 'ok', detail: text.trim() })
      keep(id, undefined)
      await client.invalidateQueries({ queryKey: ['suggestions'] })
    },
    onError: (error) => toastError(`${shortId} was not answered`, error),
  })
  const { isPending, mutate } = answer
  const empty = text.trim() === ''
  return (
    <li className="flex flex-col gap-2 border-b bg-accent-soft/40 px-4 py-3">
      <p className="flex items-start gap-2">
        <Lightbulb size={15} className="mt-0.5 shrink-0 text-accent-fg" aria-hidden="true" />
        <span className="min-w-0">
          <span className="font-medium">
            You said something like this {corrections.length} times
          </span>
          <span className="text-fg-2"> in {projectName}. Make it a convention?</span>
        </span>
      </p>
      <Textarea
        aria-label={`Convention of ${shortId}`}
        rows={1}
        value={text}
        maxLength={20_000}
        onChange={(event) => keep(id, event.target.value)}
        className="min-h-8 py-1.5"
      />
      <div className="flex flex-wrap items-center gap-2">
        <Button
          tone="primary"
          size="sm"
          busy={isPending}
          disabled={empty}
          className="max-w-full"
          onClick={() => mutate('project')}
        >
          <span className="truncate">Add to {projectName}</span>
        </Button>
        <Button
          size="sm"
          busy={isPending}
          disabled={empty}
          className="max-w-full"
          onClick={() => mutate('profile')}
        >
          <span className="truncate">Add to profile {profileName}</span>
        </Button>
        <Button size="sm" tone="ghost" busy={isPending} onClick={() => mutate('dismiss')}>
          Dismiss
        </Button>
      </div>
      <details className="text-12 text-fg-2">
        <summary className="w-fit cursor-default rounded-sm text-fg-3 hover:text-fg">
          What was said
        </summary>
        <ul className="mt-1 flex flex-col gap-1">
          {corrections.map((one) => (
            <li key={one.id} className="flex min-w-0 gap-2">
              <Link
                to="/agents/$id"
                params={{ id: one.runShortId }}
                className="shrink-0 text-fg-3 hover:text-fg"
              >
                {one.runShortId}
              </Link>
              <bdi className="min-w-0 flex-1 break-words">{one.text}</bdi>
              <Time at={one.at} className="shrink-0 text-fg-3" />
            </li>
          ))}
        </ul>
      </details>
    </li>
  )
}
