import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { processEnv } from '../../config/config.ts'
import { sharedCache } from '../../config/home.ts'
import { sameAgent } from '../../contracts/profile.ts'
import type { Profile } from '../../contracts/schemas.ts'
import { CLAUDE_VERSION, installClaude } from '../agents/install.ts'
import { startModelServer } from '../model-server/model-server.ts'

/** Who works while things are killed. */
export interface Cast {
  title: string
  /** Its agent in every stage, so that no other one that happens to be here works too. */
  profile: string
  stages: Profile['stages']
  /** For the stacks' processes. */
  env: Record<string, string>
  end(): Promise<void>
}

export const DEMO: Cast = {
  title: 'the demo agent',
  profile: 'Demo',
  stages: sameAgent({ adapter: 'demo' }),
  env: {},
  end: () => Promise.resolve(),
}

/** The real Claude Code, its model a script on loopback, its sessions in a folder of this run. */
export async function castClaude(say: (line: string) => void): Promise<Cast> {
  const claude = await installClaude(say)
  const model = await startModelServer()
  // a home of its own: the agent starts login shells, which would run the caller's own profile
  const home = mkdtempSync(join(tmpdir(), 'dispatch-chaos-claude-'))
  const { PATH = '', XDG_CACHE_HOME } = processEnv()
  return {
    title: `the real Claude Code ${CLAUDE_VERSION} and a scripted model`,
    profile: 'Claude',
    stages: sameAgent({ adapter: 'claude' }),
    env: {
      PATH: `${dirname(claude)}${delimiter}${PATH}`,
      HOME: home,
      XDG_CACHE_HOME: dirname(sharedCache(XDG_CACHE_HOME)), // downloads are shared
      CLAUDE_CONFIG_DIR: join(home, '.claude'),
      ANTHROPIC_BASE_URL: model.url('pipeline', 'chaos'),
      ANTHROPIC_API_KEY: 'sk-ant-not-a-key',
    },
    async end() {
      await model.close()
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
