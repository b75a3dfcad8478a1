import { join } from 'node:path'
import type { AgentNeeds } from '../../contracts/agent.ts'
import { hostOf } from '../sandbox/hosts.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * Claude Code in a sandbox: its sessions outlive the run and its login may be renewed. Settings are only read, and the file with its servers is a copy:
 * what an agent wrote there would be run outside, the next time the person starts Claude Code.
 */
export function claudeNeeds(env: Env): AgentNeeds {
  const { HOME = '/nonexistent', CLAUDE_CONFIG_DIR } = env
  const state = ['.claude.json']
  return {
    own: [
      ...(CLAUDE_CONFIG_DIR ? [] : [{ folder: HOME, copied: state }]),
      {
        folder: CLAUDE_CONFIG_DIR || join(HOME, '.claude'),
        copied: CLAUDE_CONFIG_DIR ? state : [],
        shared: ['projects'],
        sharedFiles: ['.credentials.json'],
        readOnly: ['settings.json', 'CLAUDE.md'],
      },
    ],
    hosts: [
      hostOf(env['ANTHROPIC_BASE_URL'], 'api.anthropic.com'),
      ...(env['ANTHROPIC_BASE_URL'] ? [] : ['platform.claude.com', 'console.anthropic.com']),
      ...clouds(env),
    ],
  }
}

function clouds(env: Env): string[] {
  const bedrock = env['CLAUDE_CODE_USE_BEDROCK'] && env['AWS_REGION']
  const vertex = env['CLAUDE_CODE_USE_VERTEX'] && env['CLOUD_ML_REGION']
  return [
    ...(bedrock ? [`bedrock-runtime.${bedrock}.amazonaws.com`] : []),
    ...(vertex ? [`${vertex}-aiplatform.googleapis.com`, 'oauth2.googleapis.com'] : []),
  ]
}
