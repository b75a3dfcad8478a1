import { type SpecOutput, specOutput } from '../../../../../contracts/outputs.ts'

/** What is wrong, by the place in the spec: `requirements.0.text`, `tasks.2.key`, or `tasks` for what is about all of them. */
export type SpecProblems = ReadonlyMap<string, string>

/** Checks an edited spec by the rules that the server has, and that no two items share an id, which would hide one of them. */
export function specProblems(spec: SpecOutput): SpecProblems {
  const problems = new Map<string, string>()
  for (const list of ['requirements', 'acceptance'] as const) {
    const seen = new Set<string>()
    for (const [index, { id }] of spec[list].entries()) {
      if (seen.has(id)) problems.set(`${list}.${index}.id`, `Another one is ${id} already.`)
      seen.add(id)
    }
  }
  const checked = specOutput.safeParse(spec)
  for (const issue of checked.error?.issues ?? []) {
    const path = issue.path.join('.')
    if (!problems.has(path)) problems.set(path, inWords(issue))
  }
  return problems
}

type Issue = NonNullable<ReturnType<typeof specOutput.safeParse>['error']>['issues'][number]

function inWords(issue: Issue): string {
  switch (issue.code) {
    case 'too_small':
      return issue.origin === 'array' ? 'There must be at least one.' : 'This must not be empty.'
    case 'too_big':
      return issue.origin === 'array'
        ? `There may be ${issue.maximum} at most.`
        : `This may have ${issue.maximum} characters at most.`
    case 'invalid_format':
      return 'Small letters, digits, - and _, beginning with a letter; 40 at most.'
    default:
      return `${issue.message[0]?.toUpperCase()}${issue.message.slice(1)}.`
  }
}
