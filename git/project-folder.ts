import { realpath, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, sep } from 'node:path'
import { GitProblem } from './problem.ts'

const SYSTEM_FOLDERS = [
  '/',
  '/bin',
  '/boot',
  '/dev',
  '/etc',
  '/home',
  '/lib',
  '/proc',
  '/root',
  '/run',
  '/sbin',
  '/sys',
  '/tmp',
  '/usr',
  '/var',
  '/Users',
  '/System',
  '/Library',
]

/** The real path of a folder that may be a project. Throws what is wrong with it. */
export async function realFolder(path: string, home: string): Promise<string> {
  if (path === '' || path.includes('\0') || !isAbsolute(path))
    throw new GitProblem(
      'bad_path',
      `${JSON.stringify(path)} is not an absolute path.`,
      'Give the full path of the repository, without ~.',
    )
  const real = await realpath(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EACCES')
      throw new GitProblem(
        'unreadable',
        `${path} may not be read.`,
        'Give yourself read access to it.',
      )
    if (error.code === 'ELOOP')
      throw new GitProblem(
        'not_found',
        `${path} is a loop of links.`,
        'Give the path of the real folder.',
      )
    throw new GitProblem(
      'not_found',
      `${path} does not exist.`,
      'Check the spelling, or clone the repository there first.',
    )
  })
  if (!(await stat(real)).isDirectory())
    throw new GitProblem(
      'not_a_directory',
      `${path} is not a folder.`,
      'Give the folder that holds the repository.',
    )
  refuseForbidden(real, home)
  return real
}

/** Throws `forbidden_path` for folders of the system, a whole home folder, and Dispatch's own. */
export function refuseForbidden(real: string, home: string): void {
  const advice = 'Choose the folder of one repository.'
  if (
    SYSTEM_FOLDERS.includes(real) ||
    real.startsWith('/proc/') ||
    real.startsWith('/etc/') ||
    real.startsWith('/sys/') ||
    real === homedir()
  )
    throw new GitProblem(
      'forbidden_path',
      `${real} is a folder of the system or a whole home folder.`,
      advice,
    )
  if (real === home || real.startsWith(home + sep) || home.startsWith(real + sep))
    throw new GitProblem(
      'forbidden_path',
      `${real} holds, or is held by, Dispatch's own data (${home}).`,
      advice,
    )
}
