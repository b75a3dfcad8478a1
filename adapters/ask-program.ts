import type { Env } from './expand-place.ts'
import { pathWith } from './find-program.ts'

/** On a busy machine a CLI takes ten seconds to say its version; one that is taken for missing would lose its stages to another. */
const LOOK_MS = 30_000

export interface Answer {
  /** It ended with 0. */
  ok: boolean
  /** What it printed, or why it could not. */
  said: string
}

/** Runs a program that answers at once, such as `claude --version`. Never rejects: what went wrong is what it said. */
export async function askProgram(binary: string, args: string[], env: Env): Promise<Answer> {
  const { execa } = await import('execa') // runners, which ask nothing, are spared it
  const { failed, stdout, stderr, originalMessage, shortMessage } = await execa(binary, args, {
    ...{ env: { ...env, PATH: pathWith(binary, env['PATH']) }, extendEnv: false },
    ...{ stdin: 'ignore', timeout: LOOK_MS, maxBuffer: 1 << 20, reject: false },
  })
  return {
    ok: !failed,
    said: stdout.trim() || stderr.trim() || (originalMessage ?? shortMessage ?? ''),
  }
}
