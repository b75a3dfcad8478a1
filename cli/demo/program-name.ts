import { join, relative } from 'node:path'
import { distDir, packageRoot } from '../../config/home.ts'
import { shellWord } from '../shell-word.ts'

/** How a person calls this program from `cwd`, or from anywhere without one: as it is installed, or from a clone. */
export function programName(cwd?: string): string {
  if (packageRoot().split(/[/\\]/).includes('node_modules')) return 'dispatch'
  const program = join(distDir(), 'cli.js')
  return `node ${shellWord(cwd === undefined ? program : relative(cwd, program))}`
}
