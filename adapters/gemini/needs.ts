import { join } from 'node:path'
import type { AgentNeeds } from '../../contracts/agent.ts'
import { hostOf } from '../sandbox/hosts.ts'
import { loginOf, personsFolder, projectOf } from './run-home.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * Gemini CLI in a sandbox: what its home of the run links to, logins writable, and of the sessions those of the run's folder.
 */
export function geminiNeeds(env: Env, cwd: string): AgentNeeds {
  const login = loginOf(env)
  const place = login['GOOGLE_CLOUD_LOCATION']
  return {
    own: [
      {
        folder: personsFolder(env),
        shared: [join(projectOf(env, cwd), 'chats')],
        sharedFiles: [
          ...['gemini-credentials.json', 'oauth_creds.json', 'google_accounts.json'],
          'installation_id',
        ],
        readOnly: ['tmp/bin'],
      },
    ],
    hosts: [
      hostOf(login['GOOGLE_GEMINI_BASE_URL'], 'generativelanguage.googleapis.com'),
      hostOf(login['GOOGLE_VERTEX_BASE_URL'], 'aiplatform.googleapis.com'),
      hostOf(login['CODE_ASSIST_ENDPOINT'], 'cloudcode-pa.googleapis.com'),
      ...['oauth2.googleapis.com', ...(place ? [`${place}-aiplatform.googleapis.com`] : [])],
    ],
  }
}
