import { actorName } from '../../contracts/figures.ts'
import type { Suggestion } from '../../contracts/schemas.ts'
import { defineCommand, PAGE_OPTIONS } from '../command.ts'
import { EXIT, usageFailure } from '../failure.ts'
import type { Io } from '../io.ts'
import { pageQuery, printPage } from '../page.ts'

const id = { required: true, help: 'a suggestion, such as S-3' } as const

import { projectNamed } from '../target.ts'

export const suggestions = defineCommand({
  name: 'suggestions',
  summary: 'List corrections that you give again and again, which could be conventions',
  prints: { replies: ['listSuggestions'] },
  args: {},
  options: {
    project: { type: 'string', help: 'only of this project (id, name or path)' },
    ...PAGE_OPTIONS,
  },
  examples: ['dispatch suggestions', 'dispatch suggestions --project P-2 --json'],
  async run({ project, limit, cursor }, deps, io) {
    const of = project ? { project: projectNamed(project, deps.cwd) } : {}
    const page = await deps.call('listSuggestions', {
      query: { ...of, ...pageQuery({ limit, cursor }) },
    })
    const code = printPage(io, page, {
      none: 'No suggestions. Three corrections alike in a project make one.',
      columns: [
        { title: 'SUGGESTION' },
        { title: 'PROJECT' },
        { title: 'PROFILE' },
        { title: 'SAID' },
        { title: 'TEXT', flexible: true },
      ],
      row: (one) => [
        one.shortId,
        one.projectName,
        one.profileName,
        `${one.corrections.length} times`,
        one.text,
      ],
    })
    const [first] = page.items
    if (first) io.note(`Make it a convention: dispatch suggestions accept ${first.shortId}`)
    return code
  },
})

export const suggestionsAccept = defineCommand({
  name: 'suggestions accept',
  summary: 'Make it a convention of its project, or of a profile; every later prompt holds it',
  prints: { replies: ['acceptSuggestion'] },
  args: { id },
  options: {
    into: { type: 'string', help: 'where to (project)', choices: ['project', 'profile'] },
    profile: { type: 'string', help: 'which profile, by name or id (the one that was at work)' },
    text: { type: 'string', value: 'text', help: 'in other words than suggested' },
  },
  examples: [
    'dispatch suggestions accept S-3',
    'dispatch suggestions accept S-3 --into profile --text "Use tabs."',
  ],
  async run({ id, into, profile, text }, deps, io) {
    if (into === 'project' && profile)
      throw usageFailure('--profile goes with --into profile, not with --into project.')
    const suggestion = await deps.call('acceptSuggestion', {
      params: { id },
      body: {
        ...(profile || into === 'profile' ? { into: 'profile' as const } : {}),
        ...(profile ? { profile } : {}),
        ...(text ? { text } : {}),
      },
    })
    return report(suggestion, io)
  },
})

export const suggestionsDismiss = defineCommand({
  name: 'suggestions dismiss',
  summary: 'Make nothing of it; it comes again only when you say the same once more',
  prints: { replies: ['dismissSuggestion'] },
  args: { id },
  options: {},
  examples: ['dispatch suggestions dismiss S-3'],
  async run({ id }, deps, io) {
    return report(await deps.call('dismissSuggestion', { params: { id }, body: {} }), io)
  },
})

function report(suggestion: Suggestion, io: Io): number {
  const { shortId, status, text, decidedBy } = suggestion
  if (io.json) io.document(suggestion)
  io.print(`${shortId} ${status} by ${actorName(decidedBy ?? '')}: ${io.clean(text)}`)
  return EXIT.ok
}
