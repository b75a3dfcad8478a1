import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentNeeds } from '../../contracts/agent.ts'
import { hostOf } from '../sandbox/hosts.ts'
import { codexHome } from './codex-home.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * Codex in a sandbox: the threads of the run's folder outlive the run, those of other projects are none of its business, and its login may be
 * renewed; its settings are only read. It keeps threads by day, so those of each folder are kept apart; it finds one by its id wherever it is.
 */
export function codexNeeds(env: Env): AgentNeeds {
  const folder = codexHome(env)
  const own = {
    folder,
    apart: ['sessions'],
    sharedFiles: ['auth.json'],
    readOnly: ['config.toml', 'AGENTS.md'],
  }
  const providers = addressesIn(join(folder, 'config.toml')).map((url) => hostOf(url, ''))
  const usual = ['chatgpt.com', 'auth.openai.com']
  return {
    own: [own],
    hosts: [hostOf(env['OPENAI_BASE_URL'], 'api.openai.com'), ...usual, ...providers],
  }
}

/** Of the providers that the person's configuration names. */
function addressesIn(file: string): string[] {
  try {
    const text = readFileSync(file, 'utf8')
    return [...text.matchAll(/^\s*(?:openai_)?base_url\s*=\s*["']([^"']+)["']/gm)].map(
      ([, url = '']) => url,
    )
  } catch {
    // no configuration: then there is no other provider
    return []
  }
}
