import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { processEnv } from '../../config/config.ts'
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
  const config = mkdtempSync(join(tmpdir(), 'dispatch-chaos-claude-'))
  return {
    title: `the real Claude Code ${CLAUDE_VERSION} and a scripted model`,
    profile: 'Claude',
    stages: sameAgent({ adapter: 'claude' }),
    env: {
      PATH: `${dirname(claude)}${delimiter}${processEnv()['PATH'] ?? ''}`,
      CLAUDE_CONFIG_DIR: config,
      ANTHROPIC_BASE_URL: model.url('pipeline', 'chaos'),
      ANTHROPIC_API_KEY: 'sk-ant-not-a-key',
    },
    async end() {
      await model.close()
      rmSync(config, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
