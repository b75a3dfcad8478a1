import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { FailureReason, RunSpec, Usage } from '../../contracts/agent.ts'
import type { ModelServer } from '../model-server/model-server.ts'
import { SLOW_TEXT } from '../model-server/scenarios.ts'
import type { StepUsage } from '../model-server/step.ts'
import { setCodexStage, writeCodexHome } from './codex-stage.ts'
import { setGeminiStage } from './gemini-stage.ts'
import { CLAUDE_PACKAGE_VERSION, CLAUDE_VERSION, installClaude } from './install.ts'
import { CLAUDE_ACP_VERSION, installClaudeAcp } from './install-claude-acp.ts'
import { CODEX_VERSION, installCodex } from './install-codex.ts'
import { GEMINI_VERSION, installGemini } from './install-gemini.ts'
import { type Played, type Stage, setStage } from './play.ts'
import type { ScenarioName } from './scenarios.ts'

/** How the scenarios that all agents share are played with one of them. */
export interface Driver {
  name: string
  title: string
  version: string
  /** What the table cannot say. */
  note?: string
  /** The real program, and what its environment needs to run it. */
  install(log?: (line: string) => void): Promise<Installed>
  stage(model: ModelServer, scenario: string, more: Partial<RunSpec> & { binary: string }): Stage
  /** The tool that runs commands and the one that writes files, as the model sees them. */
  tools: { shell: string; write: string }
  /** All tools of a run that may write, sorted. Neither these nor notes are asked of an agent by ACP, which is as its person set it up. */
  offers?: readonly string[]
  /** Files, below the home, by which it would remember a note of an earlier run in this folder. */
  remembering?: (cwd: string, note: string) => Record<string, string>
  /** Of what was charged, what the agent can tell. */
  counts(charged: StepUsage): Partial<Usage>
  /** Makes the run look for its provider where nobody listens. */
  leadAstray(at: Stage): void
  /** Plays a run whose conversation grows too long. `at` has the scenario `compaction`. */
  compacted(at: Stage, model: ModelServer): Promise<Played>
  tellsRetries: boolean
  /** Why it does not tell when a limit is over although its provider did, in words. */
  hidesEndOfLimit?: string
  /** Longest silence for a scenario with a silent provider; more for who starts slowly. */
  silenceSeconds: number
  /** What `npm test` plays beside the core of them. */
  daily?: readonly ScenarioName[]
  /** What it cannot do or say, in words. */
  cannot: Partial<Record<ScenarioName, string>>
  /** Where it means another thing by a failure. */
  reasons?: Partial<Record<ScenarioName, FailureReason>>
}

export interface Installed {
  binary: string
  env?: Record<string, string>
}

const exactly = ({ input, output, cacheRead, cacheWrite }: StepUsage) => ({
  input,
  output,
  cacheRead,
  cacheWrite,
})

export const CLAUDE: Driver = {
  name: 'claude',
  title: 'Claude Code',
  version: `${CLAUDE_VERSION}, driven by the Agent SDK ${CLAUDE_PACKAGE_VERSION}`,
  install: async (log) => ({ binary: await installClaude(log) }),
  stage: setStage,
  tools: { shell: '[Bash]', write: '[Write]' },
  offers: [
    ...['Bash', 'DeferredToolPlaceholder', 'Edit', 'Glob', 'Grep', 'NotebookEdit', 'Read'],
    ...['StructuredOutput', 'Write'],
  ],
  remembering: (cwd, note) => ({
    [`.claude/projects/${cwd.replace(/[^a-zA-Z0-9]/g, '-')}/memory/MEMORY.md`]: note,
  }),
  counts: exactly,
  leadAstray(at) {
    at.spec.env['ANTHROPIC_BASE_URL'] = 'http://127.0.0.1:9'
  },
  compacted(at) {
    at.spec.env['CLAUDE_CODE_AUTO_COMPACT_WINDOW'] = '100000'
    return at.play()
  },
  daily: [
    'paused and resumed in the same session',
    '429 with a short wait passes by itself',
    '401: the key is refused',
  ],
  tellsRetries: true,
  hidesEndOfLimit: "Of a pause that the API asks for it tells no time, only of a plan's limits.",
  silenceSeconds: 6,
  cannot: {},
}

export const CODEX: Driver = {
  name: 'codex',
  title: 'Codex',
  version: `${CODEX_VERSION}, driven by its app-server`,
  install: async (log) => ({ binary: await installCodex(log) }),
  stage: setCodexStage,
  tools: { shell: '[exec_command]', write: '[apply_patch]' },
  // the question is refused
  offers: ['apply_patch', 'exec_command', 'request_user_input', 'view_image', 'write_stdin'],
  remembering: (_cwd, note) => ({ '.codex/memories/memory_summary.md': note }),
  counts: exactly,
  leadAstray(at) {
    const settings = 'openai_base_url = "http://127.0.0.1:9/v1"\nmodel = "gpt-5.5"\n'
    writeFileSync(join(at.spec.env['HOME'] ?? '', '.codex/config.toml'), settings)
  },
  compacted(at, model) {
    const limit = 'model_auto_compact_token_limit = 100000\n'
    writeCodexHome(at.spec.env['HOME'] ?? '', model.url('compaction', at.spec.runId), limit)
    return at.play()
  },
  tellsRetries: true,
  hidesEndOfLimit: "Of a pause that the API asks for it tells no time, only of a plan's limits.",
  silenceSeconds: 6,
  cannot: {},
}

export const GEMINI: Driver = {
  name: 'gemini',
  title: 'Gemini CLI',
  version: `${GEMINI_VERSION}, driven by its stream and hooks`,
  install: async (log) => ({ binary: await installGemini(log) }),
  stage: setGeminiStage,
  tools: { shell: '[run_shell_command]', write: '[write_file]' },
  offers: [
    ...['activate_skill', 'glob', 'grep_search', 'list_background_processes', 'list_directory'],
    ...['read_background_output', 'read_file', 'replace', 'run_shell_command', 'update_topic'],
    ...['write_file', 'write_todos'],
  ],
  remembering: (cwd, note) => ({
    '.gemini/projects.json': JSON.stringify({ projects: { [cwd]: 'work' } }),
    '.gemini/tmp/work/memory/MEMORY.md': note,
  }),
  // nothing is charged for writing its cache
  counts: ({ input, output, cacheRead }) => ({ input, output, cacheRead }),
  leadAstray(at) {
    at.spec.env['GOOGLE_GEMINI_BASE_URL'] = 'http://127.0.0.1:9'
  },
  async compacted(at, model) {
    const say = (word: string, usage = {}) => ({
      do: 'call' as const,
      tool: 'Bash',
      text: `I say ${word}. ${SLOW_TEXT}`,
      input: { command: `echo ${word}`, description: 'say' },
      usage,
    })
    const full = { input: 700_000, cacheRead: 0, cacheWrite: 0 }
    const end = { do: 'answer' as const, output: { answer: 42 } }
    model.script(at.spec.runId, [say('zero'), end, say('one', full), say('two', full), end])
    await at.play()
    return at.resume({ prompt: 'Go on.' })
  },
  tellsRetries: true,
  silenceSeconds: 12,
  cannot: {},
}

export const ACP: Driver = {
  name: 'acp',
  title: 'Any agent by ACP',
  version: `(Claude Code ${CLAUDE_VERSION} by claude-agent-acp ${CLAUDE_ACP_VERSION})`,
  note: 'Tokens come with the answer of a turn; those of a turn that fails are told by nobody. Retries are not told.',
  async install(log) {
    const env = {
      PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
      CLAUDE_CODE_EXECUTABLE: await installClaude(log),
      // for ACP agents these are the person's to set
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      CLAUDE_CODE_MAX_RETRIES: '2',
    }
    return { binary: await installClaudeAcp(log), env }
  },
  stage(model, scenario, more) {
    const acp = { title: 'Claude by ACP', command: more.binary }
    return setStage(model, scenario, { adapter: 'acp:claude', acp, ...more })
  },
  tools: { shell: '[Bash]', write: '[Write]' },
  counts: exactly,
  leadAstray: CLAUDE.leadAstray,
  compacted: CLAUDE.compacted,
  tellsRetries: false,
  hidesEndOfLimit: 'Claude Code tells no time, so there is none to pass on.',
  silenceSeconds: 8,
  cannot: {
    'a conversation that was shortened is told':
      'The protocol has no word for it that this agent uses.',
  },
}

/** Every agent, in the order of docs/agents.md. */
export const DRIVERS: readonly Driver[] = [CLAUDE, CODEX, GEMINI, ACP]
