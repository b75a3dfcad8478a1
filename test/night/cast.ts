import { mkdirSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { processEnv } from '../../config/config.ts'
import { sharedCache } from '../../config/home.ts'
import { writeCodexHome } from '../agents/codex-stage.ts'
import { GEMINI_MODEL, geminiVariables } from '../agents/gemini-stage.ts'
import { CLAUDE_VERSION, installClaude } from '../agents/install.ts'
import { CODEX_VERSION, installCodex } from '../agents/install-codex.ts'
import { GEMINI_VERSION, installGemini } from '../agents/install-gemini.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** The agents of a night; each has a run of the model server to itself, by which its tokens are told apart. */
export const CAST = {
  claude: { title: `Claude Code ${CLAUDE_VERSION}`, agent: { adapter: 'claude' } },
  codex: { title: `Codex ${CODEX_VERSION}`, agent: { adapter: 'codex' } },
  gemini: {
    title: `Gemini CLI ${GEMINI_VERSION}`,
    agent: { adapter: 'gemini', model: GEMINI_MODEL },
  },
} as const
export type Actor = keyof typeof CAST
export const ACTORS = Object.keys(CAST) as Actor[]

export interface NightEnvironment {
  /** For the stack's processes: real programs, homes of their own, fake keys, the scripted model. */
  env: Record<string, string>
  remove(): void
}

/** `url`: the base URL of an actor at the scripted model. */
export async function prepareCast(
  url: (actor: Actor) => string,
  say: (line: string) => void,
): Promise<NightEnvironment> {
  const programs = [await installClaude(say), await installCodex(say), await installGemini(say)]
  const folder = temporaryFolder('dispatch-night-agents-')
  const home = (name: string) => join(folder.path, name)
  for (const name of ['home', 'claude', 'gemini']) mkdirSync(home(name))
  writeCodexHome(home('codex'), url('codex'))
  const { PATH = '', XDG_CACHE_HOME } = processEnv()
  return {
    env: {
      PATH: [...programs.map((program) => dirname(program)), PATH].join(delimiter),
      HOME: home('home'),
      // downloads are shared, whoever's home it is
      XDG_CACHE_HOME: dirname(sharedCache(XDG_CACHE_HOME)),
      CLAUDE_CONFIG_DIR: home('claude'),
      ANTHROPIC_BASE_URL: url('claude'),
      ANTHROPIC_API_KEY: 'sk-ant-not-a-key',
      CODEX_HOME: join(home('codex'), '.codex'),
      GEMINI_CLI_HOME: home('gemini'),
      ...geminiVariables(url('gemini')),
    },
    remove: folder.remove,
  }
}
