import { statSync } from 'node:fs'
import type { RunSpec } from '../../contracts/agent.ts'
import type { Adapter, AdapterIo, AgentSession } from '../adapter.ts'
import { missingSession } from '../missing-session.ts'
import { KEY_VARIABLES } from './access.ts'
import { openCodexSession } from './codex-session.ts'
import { detectCodex } from './detect-codex.ts'
import { findCodex, INSTALL_CODEX, nativeProgram } from './find-codex.ts'
import { codexNeeds } from './needs.ts'

const TITLE = 'Codex'

/** Names of the variables by which people log Codex in, or lead it to their own home, provider or proxy. */
const LOGIN_VARIABLES = [
  ...KEY_VARIABLES,
  'CODEX_HOME',
  'CODEX_CA_CERTIFICATE',
  'OPENAI_BASE_URL',
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'NO_PROXY',
  'SSL_CERT_FILE',
] as const

/**
 * Codex, driven by its app-server with the person's own `codex` as the program (`RunSpec.binary` goes first, then the PATH of the run) and
 * their own login (`CODEX_HOME`, default `~/.codex`). Sessions are Codex's threads: `codex resume <id>` continues them by hand.
 */
export function createCodexAdapter(): Adapter {
  const open = (spec: RunSpec, io: AdapterIo): AgentSession => {
    const program = spec.binary ?? findCodex(spec.env)
    const isFolder = statSync(spec.cwd, { throwIfNoEntry: false })?.isDirectory() === true
    if (program === undefined)
      return missingSession(`Codex is not installed. Install it: ${INSTALL_CODEX}`)
    if (!isFolder) return missingSession(`The working folder ${spec.cwd} does not exist.`)
    return openCodexSession(spec, io, nativeProgram(program))
  }
  return {
    name: 'codex',
    program: 'codex',
    needs: codexNeeds,
    title: TITLE,
    demo: false,
    loginVariables: LOGIN_VARIABLES,
    detect: (search) => detectCodex(search, { adapter: 'codex', title: TITLE, demo: false }),
    start: (spec, io) => open(spec, io),
    resume: (spec, io) => open(spec, io),
  }
}
