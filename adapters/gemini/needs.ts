import type { AgentNeeds } from '../../contracts/agent.ts'
import { hostOf } from '../sandbox/hosts.ts'
import { loginOf, personsFolder } from './run-home.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Gemini CLI in a sandbox: what its home of the run links to, sessions and logins writable. */
export function geminiNeeds(env: Env): AgentNeeds {
  const login = loginOf(env)
  const place = login['GOOGLE_CLOUD_LOCATION']
  return {
    own: [
      {
        folder: personsFolder(env),
        shared: ['history', 'tmp'],
        sharedFiles: [
          ...['gemini-credentials.json', 'oauth_creds.json', 'google_accounts.json'],
          ...['installation_id', 'projects.json'],
        ],
        readOnly: ['GEMINI.md'],
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
