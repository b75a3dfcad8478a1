import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type ProjectLayout, privateDir } from './layout.ts'
import type { GitRunner } from './run.ts'

/** A driver that hands files on as they are stored, as those do that only clean. */
const HANDS_ON = new Set(['', 'cat'])

/**
 * Names of the filter drivers with which the person's git rewrites files when it checks them out (git-crypt, Git LFS). They are only read
 * here: Dispatch runs no program that a config names.
 */
export async function smudgeFilters(git: GitRunner, commonDir: string): Promise<string[]> {
  const asked = ['config', '-z', '--get-regexp', '^filter\\..*\\.(smudge|process)$']
  // a config that cannot be read stops the person's own git as well
  const call = { gitDir: commonDir, asPerson: true, answers: [0, 1, 128] } as const
  const { stdout } = await git.run(asked, call)
  // the last one of a name counts
  const commands = new Map<string, string>()
  for (const entry of stdout.toString('utf8').split('\0')) {
    const [key = '', ...command] = entry.split('\n')
    commands.set(key, command.join('\n'))
  }
  const named = [...commands].filter(([key, command]) => key !== '' && !HANDS_ON.has(command))
  return [...new Set(named.map(([key]) => key.slice('filter.'.length, key.lastIndexOf('.'))))]
}

/** Of the files that come with a change from one commit or tree to another, those that such a driver is named for. */
export async function filteredFiles(
  git: GitRunner,
  { layout, commonDir }: { layout: ProjectLayout; commonDir: string },
  { from, to }: { from: string; to: string },
): Promise<{ name: string; filter: string }[]> {
  const filters = await smudgeFilters(git, commonDir)
  if (filters.length === 0) return []
  await privateDir(layout.worktrees)
  const indexFile = join(layout.worktrees, `.attributes-${to}-${process.pid}`)
  const settings = { 'core.attributesFile': join(commonDir, 'info', 'attributes') }
  const call = { gitDir: layout.clean, indexFile, settings }
  const changed = ['diff-tree', '-r', '-z', '--name-only', '--no-renames', '--diff-filter=d']
  const { stdout: input } = await git.run([...changed, from, to], call)
  try {
    await git.run(['read-tree', to], call)
    const asked = ['check-attr', '--cached', '-z', '--stdin', 'filter']
    const { stdout } = await git.run(asked, { ...call, input })
    const fields = stdout.toString('utf8').split('\0')
    const found: { name: string; filter: string }[] = []
    for (let at = 0; at + 2 < fields.length; at += 3) {
      const [name = '', , filter = ''] = fields.slice(at, at + 3)
      if (filters.includes(filter)) found.push({ name, filter })
    }
    return found
  } finally {
    await rm(indexFile, { force: true })
  }
}
