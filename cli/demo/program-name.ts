import { join, relative } from 'node:path'
import { distDir, packageRoot } from '../../config/home.ts'

/** How a person calls this program from `cwd`: as it is installed, or from a clone. */
export function programName(cwd: string): string {
  if (packageRoot().split(/[/\\]/).includes('node_modules')) return 'dispatch'
  return `node ${relative(cwd, join(distDir(), 'cli.js'))}`
}
