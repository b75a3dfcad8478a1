import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { GEMINI_MODEL } from '../../test/agents/gemini-stage.ts'
import type { Stage } from '../../test/agents/play.ts'

/** An agent's program used without Dispatch. */
export interface BareRun {
  /** `lines`: what it says, from the first word of its session on, to its end. */
  start(): { pid: number; lines: AsyncIterable<unknown> }
}

const TOOLS = 'Read,Grep,Glob,Edit,Write,NotebookEdit,Bash'

/** With what the adapter asks for too: without these it loads more, and we would be compared with less. */
export function bareClaude(at: Stage): BareRun {
  const args = ['-p', at.spec.prompt, '--output-format', 'stream-json', '--verbose']
  const alike = ['--setting-sources', 'user', '--strict-mcp-config', '--tools', TOOLS]
  const more = ['--include-partial-messages', '--permission-mode', 'acceptEdits', ...alike]
  const env = { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' }
  return printing(at, [...args, ...more], env)
}

export function bareCodex(at: Stage): BareRun {
  const quiet = ['-c', 'analytics.enabled=false', '--disable', 'plugins']
  const args = ['exec', '--json', '--skip-git-repo-check', '-s', 'workspace-write', ...quiet]
  return printing(at, [...args, at.spec.prompt], {
    CODEX_HOME: join(at.spec.env['HOME'] ?? '', '.codex'),
  })
}

export function bareGemini(at: Stage): BareRun {
  const folder = join(at.spec.env['HOME'] ?? '', '.gemini')
  mkdirSync(folder)
  const settings = {
    security: { auth: { selectedType: 'gemini-api-key' } },
    general: { enableAutoUpdate: false },
    privacy: { usageStatisticsEnabled: false },
  }
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings))
  const args = ['-o', 'stream-json', '--skip-trust', '--approval-mode', 'yolo', '-m', GEMINI_MODEL]
  return printing(at, [...args, '-p', at.spec.prompt], { GEMINI_CLI_NO_RELAUNCH: 'true' })
}

function printing(at: Stage, args: readonly string[], env: Record<string, string>): BareRun {
  return {
    start() {
      const child = startProgram(at, args, env)
      child.stdin.end()
      return { pid: child.pid ?? 0, lines: createInterface({ input: child.stdout }) }
    },
  }
}

interface Message {
  id?: number
  method?: string
  params?: { options?: { optionId: string; kind: string }[] }
  result?: { sessionId?: string; stopReason?: string }
}

/** The fewest messages that make it work: https://agentclientprotocol.com */
export function bareAcp(at: Stage): BareRun {
  return {
    start() {
      const child = startProgram(at, [], {})
      const send = (message: object) =>
        child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
      const clientCapabilities = { fs: { readTextFile: false, writeTextFile: false } }
      send({ id: 0, method: 'initialize', params: { protocolVersion: 1, clientCapabilities } })
      send({ id: 1, method: 'session/new', params: { cwd: at.cwd, mcpServers: [] } })
      return { pid: child.pid ?? 0, lines: talk(child, send, at.spec.prompt) }
    },
  }
}

type Program = ChildProcessByStdio<Writable, Readable, null>

/** Yields from the session's id on. */
async function* talk(child: Program, send: (message: object) => void, text: string) {
  let begun = false
  for await (const line of createInterface({ input: child.stdout })) {
    const { id, method, params, result } = JSON.parse(line) as Message
    const sessionId = result?.sessionId
    if (sessionId !== undefined) {
      begun = true
      send({
        id: 2,
        method: 'session/prompt',
        params: { sessionId, prompt: [{ type: 'text', text }] },
      })
    }
    const allow = params?.options?.find(({ kind }) => kind === 'allow_once')
    if (method === 'session/request_permission')
      send({ id, result: { outcome: { outcome: 'selected', optionId: allow?.optionId } } })
    if (result?.stopReason !== undefined) child.stdin.end()
    if (begun) yield line
  }
}

function startProgram(
  { spec }: Stage,
  args: readonly string[],
  env: Record<string, string>,
): Program {
  return spawn(spec.binary ?? '', args, {
    cwd: spec.cwd,
    env: { ...spec.env, ...env },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
}
