import { mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { processEnv } from '../../config/config.ts'
import { sharedCache } from '../../config/home.ts'
import { writeCodexHome } from '../agents/codex-stage.ts'
import { GEMINI_MODEL, geminiVariables } from '../agents/gemini-stage.ts'
import { CLAUDE_VERSION, installClaude } from '../agents/install.ts'
import { CLAUDE_ACP_VERSION, installClaudeAcp } from '../agents/install-claude-acp.ts'
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
  // the same program behind another protocol, with the same provider: told apart by a run of its own
  'acp:claude': {
    title: `Claude Code by ACP ${CLAUDE_ACP_VERSION}`,
    agent: { adapter: 'acp:claude' },
  },
} as const
export type Actor = keyof typeof CAST
export const ACTORS = Object.keys(CAST) as Actor[]

export interface NightEnvironment {
  /** For the stack's processes: real programs, homes of their own, fake keys, the scripted model. */
  env: Record<string, string>
  configToml: string
  remove(): void
}

/** `url`: the base URL of an actor at the scripted model. */
export async function prepareCast(
  url: (actor: Actor) => string,
  say: (line: string) => void,
): Promise<NightEnvironment> {
  const claude = await installClaude(say)
  const programs = [claude, await installCodex(say), await installGemini(say)]
  const acp = await installClaudeAcp(say)
  const folder = temporaryFolder('dispatch-night-agents-')
  const home = (name: string) => join(folder.path, name)
  for (const name of ['home', 'claude', 'acp', 'gemini']) mkdirSync(home(name))
  writeCodexHome(home('codex'), url('codex'))
  const { PATH = '', XDG_CACHE_HOME } = processEnv()
  // names of variables are all that the configuration of an ACP agent can give: its address is set by a script around it
  const wrapper = home('claude-by-acp')
  const settings = {
    ...{ CLAUDE_CODE_EXECUTABLE: claude, CLAUDE_CONFIG_DIR: home('acp') },
    ...{ CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', CLAUDE_CODE_MAX_RETRIES: '2' },
    ...{ ANTHROPIC_BASE_URL: url('acp:claude'), ANTHROPIC_API_KEY: 'sk-ant-not-a-key' },
  }
  const sets = Object.entries(settings).map(([name, value]) => `export ${name}='${value}'`)
  writeFileSync(wrapper, `#!/bin/sh\n${sets.join('\n')}\nexec '${acp}' "$@"\n`, { mode: 0o755 })
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
    configToml: `[acp.claude]\ntitle = "Claude Code by ACP"\ncommand = "${wrapper}"\n`,
    remove: folder.remove,
  }
}
