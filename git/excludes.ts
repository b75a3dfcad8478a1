import { lstat, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { GitFailure } from './problem.ts'
import { readRegularText } from './read-regular.ts'
import type { GitRunner } from './run.ts'

/** More than any list of ignored files holds; what follows is left out. */
export const EXCLUDE_BYTES = 1_000_000

/**
 * The files that say what a person ignores without committing it, the one that wins last: the machine's, then the repository's own.
 * Where the first one is comes from the person's config alone: a repository's could name any file, and agents see what is in it.
 */
export async function excludeFiles(git: GitRunner, commonDir: string): Promise<string[]> {
  const everywhere = await machineFile(git, commonDir)
  const own = join(commonDir, 'info', 'exclude')
  const files = [
    // people keep theirs elsewhere, with a link at the usual place
    everywhere === undefined ? undefined : await realpath(everywhere).catch(() => undefined),
    (await lstat(own).catch(() => undefined))?.isFile() ? own : undefined,
  ]
  return files.filter((path) => path !== undefined)
}

/** Undefined where the person's config cannot be read: git says so to them, and a goal does not depend on it. */
async function machineFile(git: GitRunner, gitDir: string): Promise<string | undefined> {
  const key = 'core.excludesFile'
  const usual = ['--type=path', '--default', '~/.config/git/ignore']
  try {
    const asked = ['config', '--global', '--includes', ...usual, '--get', key]
    return await git.text(asked, { gitDir, asPerson: true })
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error
    return undefined
  }
}

/** What is in those files, as one list of patterns. */
export async function readExcludes(git: GitRunner, commonDir: string): Promise<string> {
  const texts = await Promise.all((await excludeFiles(git, commonDir)).map(readWholeLines))
  return texts.map((text) => (text === '' || text.endsWith('\n') ? text : `${text}\n`)).join('')
}

/** A pattern that was cut could match anything. */
async function readWholeLines(path: string): Promise<string> {
  const text = (await readRegularText(path, EXCLUDE_BYTES)) ?? ''
  return Buffer.byteLength(text) < EXCLUDE_BYTES ? text : text.slice(0, text.lastIndexOf('\n') + 1)
}
