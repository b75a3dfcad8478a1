import { readFileSync, rmSync } from 'node:fs'
import type { Body } from '../contracts/api.ts'
import type { Review } from '../contracts/schemas.ts'
import type { Deps } from './command.ts'
import { CliFailure, isCliFailure, problemBody, usageFailure } from './failure.ts'
import type { Io } from './io.ts'

/** The spec as a person changed it. The server judges its content. */
export interface SpecEdits {
  /** Undefined when nothing was changed. */
  edits: Body<'decideReview'>['edits']
  /** Runs the decision: a text from the editor is removed after it, or kept and named when it did not come to that. */
  keepUntil<T>(decide: () => Promise<T>): Promise<T>
}

/** The edits that the options ask for: from a file, from stdin (`-`), or from the person's editor. */
export async function specEdits(
  review: Review,
  options: { edit: boolean; edits: string | undefined },
  { deps, io }: { deps: Deps; io: Io },
): Promise<SpecEdits> {
  if (review.kind !== 'spec' || !review.spec)
    throw usageFailure(
      `${review.shortId} is the review of a ${review.kind}: only a spec can be edited.`,
      `Ask for changes: dispatch request-changes ${review.shortId} "…"`,
    )
  if (options.edits !== undefined) {
    const source = options.edits === '-' ? 'stdin' : options.edits
    const text = options.edits === '-' ? await io.readAll() : readEdits(options.edits)
    const format = `It must be what "dispatch review ${review.shortId} --json=spec" prints, or the content in it, with your changes.`
    return {
      edits: parseSpec(text, source, format),
      keepUntil: (decide) =>
        decide().catch((error) => {
          throw problemBody(error)?.status === 422 ? withAdvice(error, format) : error
        }),
    }
  }
  return editInEditor(review, { content: review.spec.content, deps })
}

async function editInEditor(
  review: Review,
  { content, deps }: { content: object; deps: Deps },
): Promise<SpecEdits> {
  const { editText } = await import('./editor.ts')
  const before = `${JSON.stringify(content, null, 2)}\n`
  const name = `${review.shortId}-spec.json`
  const { text, file, folder, editor } = await editText(before, { name, env: deps.env })
  const remove = () => rmSync(folder, { recursive: true, force: true })
  if (text === undefined) {
    remove()
    throw new CliFailure(
      'error',
      'editor_failed',
      `The editor "${editor}" ended with an error; ${review.shortId} still waits.`,
      'Name another one in DISPATCH_EDITOR, or give the spec as a file: --edits <file>',
    )
  }
  const again = `Your text is kept. Mend it and give it: dispatch approve ${review.shortId} --edits ${file}`
  const edits = text === before ? undefined : parseSpec(text, file, again)
  return {
    edits,
    async keepUntil(decide) {
      try {
        const reply = await decide()
        remove()
        return reply
      } catch (error) {
        if (edits === undefined) remove()
        throw edits === undefined ? error : withAdvice(error, again)
      }
    },
  }
}

/** The person's work must not be lost with the answer that refused it. */
function withAdvice(error: unknown, again: string): unknown {
  if (isCliFailure(error)) return new CliFailure(error.exit, error.code, error.message, again)
  const problem = problemBody(error)
  if (problem) problem.advice = problem.advice ? `${problem.advice}\n${again}` : again
  return error
}

function readEdits(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw usageFailure(`--edits ${file} cannot be read: ${(error as Error).message}`)
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What is printed of a review has its spec in `spec`, and what can be changed of that in `content`; a spec itself has neither. */
const within = (value: unknown, key: 'spec' | 'content') =>
  isObject(value) && key in value ? value[key] : value

function parseSpec(text: string, source: string, advice?: string): Body<'decideReview'>['edits'] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw usageFailure(`${source} is not JSON: ${(error as Error).message}`, advice)
  }
  const content = within(within(value, 'spec'), 'content')
  if (isObject(content)) return content as never
  throw usageFailure(`${source} is not a spec: it must be a JSON object.`, advice)
}
