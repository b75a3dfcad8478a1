import { findProgram } from '../find-program.ts'

export const INSTALL_CLAUDE = 'npm install -g @anthropic-ai/claude-code'

/** The person's own `claude`: the PATH first, then the usual places of its installers. Undefined when there is none. */
export const findClaude = (env: Readonly<Record<string, string | undefined>>): string | undefined =>
  findProgram('claude', env)
