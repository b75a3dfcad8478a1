import { isRefusal } from '../../db/refusal.ts'
import { holdProfile, resolveId } from '../../db/resolve.ts'
import { answerSuggestion, listSuggestions } from '../../db/suggestions.ts'
import type { Handlers } from '../bind.ts'
import type { Changes } from '../change.ts'
import type { ApiDeps } from '../deps.ts'

type SuggestionRoutes = Pick<Handlers, 'listSuggestions' | 'acceptSuggestion' | 'dismissSuggestion'>

export function suggestionRoutes(
  { database: { knex } }: ApiDeps,
  changes: Changes,
): SuggestionRoutes {
  return {
    async listSuggestions({ query: { project, ...query } }) {
      const found = project === undefined ? undefined : await resolveId(knex, 'project', project)
      if (isRefusal(found)) return found
      return listSuggestions(knex, { ...query, projectId: found?.id })
    },
    acceptSuggestion: ({ params, body }) =>
      changes.change(async ({ tx, emit, actor }) => {
        const found = await resolveId(tx, 'suggestion', params.id)
        if (isRefusal(found)) return found
        const profile = body.profile === undefined ? undefined : await holdProfile(tx, body.profile)
        if (isRefusal(profile)) return profile
        const into = profile ? 'profile' : body.into
        const answer = into === 'project' ? { into } : { into, profileId: profile?.id }
        return answerSuggestion(tx, emit, { id: found.id, answer, text: body.text, actor })
      }),
    dismissSuggestion: ({ params }) =>
      changes.change(async ({ tx, emit, actor }) => {
        const found = await resolveId(tx, 'suggestion', params.id)
        if (isRefusal(found)) return found
        return answerSuggestion(tx, emit, { id: found.id, answer: { into: 'nothing' }, actor })
      }),
  }
}
