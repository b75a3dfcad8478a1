import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { RunSpec } from '../contracts/agent.ts'
import { secretVariables } from './redact.ts'
import { SPEC_FILE, TMP_FOLDER, writeAtomically } from './run-files.ts'

/** What a run that is over needs no more: its temp folder, and the agent's keys (their names stay, to see what it was given). */
export function tidyRun(dir: string, spec: RunSpec): void {
  rmSync(join(dir, TMP_FOLDER), { recursive: true, force: true })
  const secrets = Object.fromEntries(
    secretVariables(spec.env).map(([name]) => [name, '[redacted]']),
  )
  writeAtomically(join(dir, SPEC_FILE), { ...spec, env: { ...spec.env, ...secrets } })
}
