import { existsSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { parseId, shortId } from '../contracts/ids.ts'
import { CliFailure, usageFailure } from './failure.ts'
import { gitRoot } from './git-root.ts'

/** What a person typed as the id of a goal, checked for its form. */
export const goalId = (text: string) => idOf('goal', text)
export const runId = (text: string) => idOf('run', text)

/** What a person typed as a project: an id or a name as it is, a path as that of the repository it is in. */
export function projectNamed(text: string, cwd: string | undefined): string {
  if (!/^\.{1,2}$|\//.test(text)) return text
  const path = pathNamed(text, cwd)
  return existsSync(path) ? (gitRoot(path) ?? path) : text
}

/** What a person typed as a path, from where they are. */
export const pathNamed = (text: string, cwd: string | undefined): string =>
  isAbsolute(text) ? resolve(text) : resolve(whereYouAre(cwd), text)

/** The folder that a person is in; the failure says when it is gone. */
export function whereYouAre(cwd: string | undefined): string {
  if (cwd !== undefined) return cwd
  throw new CliFailure(
    'notFound',
    'folder_gone',
    'The folder that you are in is gone: it was deleted.',
    'Change to one that exists (cd), or name a full path.',
  )
}

const KINDS = {
  goal: { example: 'G-12', words: 'a goal' },
  run: { example: 'A-7', words: 'an agent run' },
} as const

function idOf(kind: keyof typeof KINDS, text: string): string {
  const id = parseId(text)
  const { example, words } = KINDS[kind]
  if (!id || ('kind' in id && id.kind !== kind))
    throw usageFailure(`"${text}" is not the id of ${words}.`, `It looks like ${example}.`)
  return canonical(text)
}

/** `g12` and `G-12` are the same: the server gets one form. */
export function canonical(text: string): string {
  const id = parseId(text)
  if (!id) return text
  return 'uuid' in id ? id.uuid : shortId(id.kind, id.number)
}
