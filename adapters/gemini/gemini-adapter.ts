import { statSync } from 'node:fs'
import type { RunSpec } from '../../contracts/agent.ts'
import type { Adapter, AdapterIo, AgentSession } from '../adapter.ts'
import { missingSession } from '../missing-session.ts'
import { detectGemini } from './detect-gemini.ts'
import { findGemini, INSTALL_GEMINI } from './find-gemini.ts'
import { openGeminiSession } from './gemini-session.ts'
import { geminiNeeds } from './needs.ts'
import { LOGIN_VARIABLES } from './run-home.ts'

const TITLE = 'Gemini CLI'

/**
 * Gemini CLI, one process a run, with the person's own `gemini` as the program (`RunSpec.binary` goes first, then the PATH of the run) and
 * their own login. Sessions are its own: `gemini --resume <id>` in the worktree continues them by hand.
 */
export function createGeminiAdapter(): Adapter {
  const open = (spec: RunSpec, io: AdapterIo): AgentSession => {
    const program = spec.binary ?? findGemini(spec.env)
    const isFolder = statSync(spec.cwd, { throwIfNoEntry: false })?.isDirectory() === true
    if (program === undefined)
      return missingSession(`Gemini CLI is not installed. Install it: ${INSTALL_GEMINI}`)
    if (!isFolder) return missingSession(`The working folder ${spec.cwd} does not exist.`)
    return openGeminiSession(spec, io, program)
  }
  return {
    name: 'gemini',
    program: 'gemini',
    needs: geminiNeeds,
    title: TITLE,
    demo: false,
    loginVariables: LOGIN_VARIABLES,
    detect: (search) => detectGemini(search, { adapter: 'gemini', title: TITLE, demo: false }),
    start: (spec, io) => open(spec, io),
    resume: (spec, io) => open(spec, io),
  }
}
