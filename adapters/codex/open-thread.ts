import type { RunSpec, TerminalEvent } from '../../contracts/agent.ts'
import { isLeast } from '../version.ts'
import { fenceOfThread, fenceOfTurn, LEAST_PROFILES } from './access.ts'
import { reasonOf } from './failures.ts'
import type { JsonRpc, RpcAnswer } from './json-rpc.ts'
import type { ConfigAnswer, ThreadAnswer } from './wire.ts'

/** The oldest app-server whose protocol this folder speaks. */
export const LEAST_APP_SERVER = [0, 120, 0] as const

export interface OpenThread {
  type: 'open'
  threadId: string
  model?: string
  /** To be said with each turn. */
  fence: ReturnType<typeof fenceOfTurn>
}

/** From the greeting to the thread's id, before any request to the model. `unsupported`: an app-server that we do not speak with. */
export async function openThread(
  rpc: JsonRpc,
  spec: RunSpec,
): Promise<OpenThread | { type: 'unsupported' } | TerminalEvent> {
  const hello = await rpc.request<{ userAgent?: string }>('initialize', HELLO)
  if (!hello.ok) return { type: 'unsupported' }
  const { userAgent = '' } = hello.result
  if (!isLeast(userAgent, LEAST_APP_SERVER)) return { type: 'unsupported' }
  rpc.notify('initialized')
  const refused = await logIn(rpc, spec.env)
  if (refused) return refused
  const answer = await startOrResume(rpc, spec, isLeast(userAgent, LEAST_PROFILES))
  if (!answer.ok)
    return { type: 'failed', reason: reasonOf(null, answer.message), detail: answer.message }
  const { thread, model, activePermissionProfile: active } = answer.result
  const fence = fenceOfTurn(spec, active?.id)
  return { type: 'open', threadId: thread.id, fence, ...(model ? { model } : {}) }
}

async function startOrResume(rpc: JsonRpc, spec: RunSpec, knowsProfiles: boolean) {
  const { cwd, model, resumeSessionId } = spec
  const { fence, config } = fenceOfThread(spec, knowsProfiles)
  const without = await withoutServers(rpc)
  if (!without.ok) return without
  const options = {
    cwd,
    config: { ...config, ...without.result },
    ...fence,
    approvalPolicy: 'never',
    ...(model === undefined ? {} : { model }),
  }
  if (resumeSessionId === undefined)
    return rpc.request<ThreadAnswer>('thread/start', { ...options, experimentalRawEvents: true })
  const which = { threadId: resumeSessionId, excludeTurns: true }
  return rpc.request<ThreadAnswer>('thread/resume', { ...options, ...which })
}

const HELLO = {
  clientInfo: { name: 'dispatch', title: 'Dispatch', version: '1' },
  // for the raw events: tokens of each response, and what was refused; versions without them say less
  capabilities: { experimentalApi: true, requestAttestation: false },
}

/** The app-server takes no key from its environment as `codex exec` does: it is told, and keeps it in memory only. */
async function logIn(
  rpc: JsonRpc,
  env: Readonly<Record<string, string>>,
): Promise<TerminalEvent | undefined> {
  const apiKey = env['CODEX_API_KEY']
  if (!apiKey) return undefined
  const answer = await rpc.request('account/login/start', { type: 'apiKey', apiKey })
  return answer.ok
    ? undefined
    : { type: 'failed', reason: 'auth', detail: `CODEX_API_KEY was refused: ${answer.message}` }
}

/**
 * Switches off the person's MCP servers, which would give a run tools that its access does not know. Where Codex does not say which there
 * are, none can be: then there is no run.
 */
async function withoutServers(rpc: JsonRpc): Promise<RpcAnswer<Record<string, unknown>>> {
  const answer = await rpc.request<ConfigAnswer>('config/read', {})
  const config = answer.ok ? answer.result.config : undefined
  if (!config) {
    const why = answer.ok ? 'it answered without its settings' : answer.message
    return { ok: false, message: `Codex did not say which MCP servers are to be off: ${why}` }
  }
  const servers = Object.keys(config.mcp_servers ?? {})
  // not by a dotted path: a name may have a dot itself
  const off = Object.fromEntries(servers.map((name) => [name, { enabled: false }]))
  return { ok: true, result: servers.length > 0 ? { mcp_servers: off } : {} }
}
