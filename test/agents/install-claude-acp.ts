import { join } from 'node:path'
import { installAgent } from './install.ts'

/** The newest for Node 20. It drives the Claude Code that `CLAUDE_CODE_EXECUTABLE` names, so its own copy (225 MB) is left out. */
export const CLAUDE_ACP_VERSION = '0.49.0'

/** The path of the real `claude-agent-acp`, which makes Claude Code an agent of the Agent Client Protocol. */
export const installClaudeAcp = (log?: (line: string) => void): Promise<string> =>
  installAgent(
    {
      title: 'Claude Code by ACP',
      version: undefined, // it answers no --version
      what: `@agentclientprotocol/claude-agent-acp@${CLAUDE_ACP_VERSION}`,
      folder: `claude-acp-${CLAUDE_ACP_VERSION}`,
      binary: join('node_modules', '.bin', 'claude-agent-acp'),
      megabytes: 68,
      options: ['--omit=optional'],
    },
    log,
  )
