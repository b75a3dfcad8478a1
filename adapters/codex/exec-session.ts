import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunSpec } from '../../contracts/agent.ts'
import type { AdapterIo, AgentSession } from '../adapter.ts'
import { openCliSession } from '../cli-session.ts'
import { missingSession } from '../missing-session.ts'
import { configFlags, sandboxMode, serverFlags } from './access.ts'
import { createExecTranslator } from './exec-translator.ts'
import { totalInRollout } from './rollout.ts'
import { strictSchema } from './strict-schema.ts'

/**
 * `codex exec --json`, for versions without an app-server that we speak with: no text while it streams, no corrections, and errors as
 * sentences only. The prompt goes through stdin; it is too long for a command line, and nobody else's to read.
 */
export function openExecSession(spec: RunSpec, io: AdapterIo, program: string): AgentSession {
  const servers = serverFlags(spec.env)
  if ('problem' in servers) return missingSession(servers.problem)
  const before = spec.resumeSessionId && totalInRollout(spec.env, spec.resumeSessionId)
  const translator = createExecTranslator(spec, before || undefined)
  return openCliSession(spec, io, {
    command: program,
    args: [
      'exec',
      ...configFlags(spec.cwd),
      ...servers.flags,
      // before `resume`, which has no option of its own and would fall back to read-only
      ...['-s', sandboxMode(spec), '--skip-git-repo-check'],
      ...(spec.model === undefined ? [] : ['-m', spec.model]),
      ...schemaFlags(spec),
      ...(spec.resumeSessionId === undefined ? [] : ['resume', spec.resumeSessionId]),
      '--json',
      '-',
    ],
    input: [spec.prompt],
    endsInput: true,
    read: translator.read,
    untold: translator.untold,
    correction: () => undefined,
  })
}

function schemaFlags({ outputSchema, env, cwd }: RunSpec): string[] {
  const schema = outputSchema && strictSchema(outputSchema)
  if (!schema) return []
  const file = join(mkdtempSync(join(env['TMPDIR'] ?? cwd, 'schema-')), 'schema.json')
  writeFileSync(file, JSON.stringify(schema))
  return ['--output-schema', file]
}
