import { join } from 'node:path'
import type { AgentNeeds } from '../../contracts/agent.ts'
import { hostOf } from '../sandbox/hosts.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * Claude Code in a sandbox: the sessions of the run's folder outlive the run and its login may be renewed; those of other projects are none of
 * its business. Settings are only read, and the file with its servers is a copy: what an agent wrote there would be run outside, the next
 * time the person starts Claude Code.
 */
export function claudeNeeds(env: Env, cwd: string): AgentNeeds {
  const { HOME = '/nonexistent', CLAUDE_CONFIG_DIR } = env
  const state = ['.claude.json']
  return {
    own: [
      ...(CLAUDE_CONFIG_DIR ? [] : [{ folder: HOME, copied: state }]),
      {
        folder: CLAUDE_CONFIG_DIR || join(HOME, '.claude'),
        copied: CLAUDE_CONFIG_DIR ? state : [],
        shared: [join('projects', sessionsOf(cwd))],
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

/** The name that Claude Code gives to the sessions of a folder. Those of a path over 200 characters get another and end with the run. */
const sessionsOf = (cwd: string): string => cwd.replace(/[^a-zA-Z0-9]/g, '-').slice(0, 200)

function clouds(env: Env): string[] {
  const bedrock = env['CLAUDE_CODE_USE_BEDROCK'] && env['AWS_REGION']
  const vertex = env['CLAUDE_CODE_USE_VERTEX'] && env['CLOUD_ML_REGION']
  return [
    ...(bedrock ? [`bedrock-runtime.${bedrock}.amazonaws.com`] : []),
    ...(vertex ? [`${vertex}-aiplatform.googleapis.com`, 'oauth2.googleapis.com'] : []),
  ]
}
