import { readdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findProgram, isProgram } from '../find-program.ts'

export const INSTALL_CODEX = 'npm install -g @openai/codex'

/** The person's own `codex`: the PATH first, then the usual places of its installers. Undefined when there is none. */
export const findCodex = (env: Readonly<Record<string, string | undefined>>): string | undefined =>
  findProgram('codex', env)

/**
 * The program behind npm's `codex`, which is a Node script (`@openai/codex/bin/codex.js`) that starts the real one from a platform package:
 * a process and some 60 MB less, and nothing between a signal and the agent. `program` itself where it is no such script.
 */
export function nativeProgram(program: string): string {
  const script = realPathOf(program)
  if (!script?.endsWith('/bin/codex.js')) return program
  const ours = dirname(dirname(script))
  const platform = `codex-${process.platform}-${process.arch}`
  const vendors = [
    join(ours, 'node_modules', '@openai', platform, 'vendor'),
    join(dirname(ours), platform, 'vendor'),
    join(ours, 'vendor'),
  ]
  const architecture = process.arch === 'arm64' ? 'aarch64-' : 'x86_64-'
  const system = process.platform === 'darwin' ? 'darwin' : process.platform
  const native = vendors
    .flatMap((vendor) => foldersIn(vendor).map((target) => ({ vendor, target })))
    .filter(({ target }) => target.startsWith(architecture) && target.includes(system))
    .flatMap(({ vendor, target }) =>
      ['bin', 'codex'].map((folder) => join(vendor, target, folder, 'codex')),
    )
    .find(isProgram)
  return native ?? program
}

function realPathOf(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    // Not there, or not ours to look at: starting it will say so.
    return undefined
  }
}

function foldersIn(folder: string): string[] {
  const isThere = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
  return isThere ? readdirSync(folder) : []
}
