import { statSync } from 'node:fs'
import type { RunSpec } from '../../contracts/agent.ts'
import type { Adapter, AdapterIo, AgentSession } from '../adapter.ts'
import { missingSession } from '../missing-session.ts'
import { openClaudeSession } from './claude-session.ts'
import { detectClaude } from './detect-claude.ts'
import { findClaude, INSTALL_CLAUDE } from './find-claude.ts'
import { claudeNeeds } from './needs.ts'

const TITLE = 'Claude Code'

/** Names of the variables by which people log Claude Code in, or lead it to their own gateway or cloud. */
const LOGIN_VARIABLES = [
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'ANTHROPIC_BASE_URL',
  'ANTHROPIC_CUSTOM_HEADERS',
  'ANTHROPIC_MODEL',
  'ANTHROPIC_VERTEX_PROJECT_ID',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'CLAUDE_CODE_USE_BEDROCK',
  'CLAUDE_CODE_USE_VERTEX',
  'CLAUDE_CONFIG_DIR',
  'CLOUD_ML_REGION',
  'GOOGLE_APPLICATION_CREDENTIALS',
  'AWS_ACCESS_KEY_ID',
  'AWS_PROFILE',
  'AWS_REGION',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_BEARER_TOKEN_BEDROCK',
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'NO_PROXY',
  'NODE_EXTRA_CA_CERTS',
] as const

/**
 * Claude Code, driven by its Agent SDK with the person's own `claude` as the program (`RunSpec.binary` goes first, then the PATH of
 * the run). Sessions are Claude Code's own: `claude --resume <id>` in the worktree continues them by hand.
 */
export function createClaudeAdapter(): Adapter {
  const open = (spec: RunSpec, io: AdapterIo): AgentSession => {
    const program = spec.binary ?? findClaude(spec.env)
    const isFolder = statSync(spec.cwd, { throwIfNoEntry: false })?.isDirectory() === true
    if (program === undefined)
      return missingSession(`Claude Code is not installed. Install it: ${INSTALL_CLAUDE}`)
    if (!isFolder) return missingSession(`The working folder ${spec.cwd} does not exist.`)
    return openClaudeSession(spec, io, program)
  }
  return {
    name: 'claude',
    program: 'claude',
    needs: claudeNeeds,
    title: TITLE,
    demo: false,
    loginVariables: LOGIN_VARIABLES,
    detect: (search) => detectClaude(search, { adapter: 'claude', title: TITLE, demo: false }),
    start: (spec, io) => open(spec, io),
    resume: (spec, io) => open(spec, io),
  }
}
