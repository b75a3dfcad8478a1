import type { AgentEvent, RunSpec, TerminalEvent } from '../../contracts/agent.ts'
import { refusalOf, sandboxMode, sandboxPolicy } from './access.ts'
import { type Correction, createCorrections } from './corrections.ts'
import { failureOf, reasonOf } from './failures.ts'
import type { JsonRpc, RpcIncoming } from './json-rpc.ts'
import { createPatience } from './patience.ts'
import { answerIn, strictSchema } from './strict-schema.ts'
import { createTranslator } from './translator.ts'
import { isLeast } from './version.ts'
import type { ConfigAnswer, Item, Notification, ThreadAnswer, Turn, TurnAnswer } from './wire.ts'

/** The oldest app-server whose protocol this folder speaks. */
export const LEAST_APP_SERVER = [0, 120, 0] as const

/** What is said with one app-server about one thread. */
export interface Conversation {
  /** Up to the thread's id, before any request to the model. `unsupported`: too old, to be driven by `codex exec`. */
  open(): Promise<{ type: 'open' } | { type: 'unsupported' } | TerminalEvent>
  /** From the prompt to the end of the last turn. */
  work(): Promise<TerminalEvent>
  hear(incoming: RpcIncoming): Promise<void>
  correct(correction: Correction): void
  /** False when there is no turn yet that could be asked to stop. */
  interrupt(): boolean
  /** False until the app-server said who it is. */
  hasGreeted(): boolean
  /** True while something of the other side is to be heard: not a tool at work. */
  isWaiting(): boolean
  stop(): void
}

export interface ConversationDeps {
  spec: RunSpec
  rpc: JsonRpc
  push(event: AgentEvent): Promise<void>
}

export function createConversation({ spec, rpc, push }: ConversationDeps): Conversation {
  const translator = createTranslator(spec.cwd)
  const corrections = createCorrections((id, state) => void push({ type: 'correction', id, state }))
  const sending = new Set<Promise<void>>()
  const schema = spec.outputSchema && strictSchema(spec.outputSchema)
  let greeted = false
  let threadId = ''
  let turnId: string | undefined
  let turnEnded: (turn: Turn) => void = () => undefined
  /** Why we ended the turn ourselves: goes before what Codex says about it. */
  let verdict: TerminalEvent | undefined
  const patience = createPatience((terminal) => {
    verdict ??= terminal
    interrupt()
  })

  const interrupt = () => {
    if (turnId === undefined) return false
    void rpc.request('turn/interrupt', { threadId, turnId })
    return true
  }

  async function openThread(): ReturnType<Conversation['open']> {
    const { cwd, model, access, resumeSessionId } = spec
    const config = await withoutServers(rpc)
    const options = {
      cwd,
      config,
      sandbox: sandboxMode(access),
      approvalPolicy: 'never',
      ...(model === undefined ? {} : { model }),
    }
    const answer = await (resumeSessionId === undefined
      ? rpc.request<ThreadAnswer>('thread/start', { ...options, experimentalRawEvents: true })
      : rpc.request<ThreadAnswer>('thread/resume', {
          ...options,
          threadId: resumeSessionId,
          excludeTurns: true,
        }))
    if (!answer.ok)
      return { type: 'failed', reason: reasonOf(null, answer.message), detail: answer.message }
    threadId = answer.result.thread.id
    const { model: chosen } = answer.result
    await push({ type: 'session', sessionId: threadId, ...(chosen ? { model: chosen } : {}) })
    return { type: 'open' }
  }

  async function playTurn(text: string, correction?: Correction): Promise<Turn | TerminalEvent> {
    const ended = new Promise<Turn>((resolve) => {
      turnEnded = resolve
    })
    const answer = await rpc.request<TurnAnswer>('turn/start', {
      threadId,
      input: [textInput(text)],
      sandboxPolicy: sandboxPolicy(spec.access),
      ...(schema ? { outputSchema: schema } : {}),
      ...(correction ? { clientUserMessageId: correction.id } : {}),
    })
    if (!answer.ok)
      return { type: 'failed', reason: reasonOf(null, answer.message), detail: answer.message }
    turnId = answer.result.turn.id
    translator.turnStarted(turnId)
    if (correction) corrections.delivered(correction.id)
    steer()
    const turn = await ended
    turnId = undefined
    await Promise.all(sending)
    corrections.turnEnded()
    return turn
  }

  /** Hands what waits to the turn at work; what comes too late for it is the prompt of the next turn. */
  function steer() {
    if (turnId === undefined) return
    const expectedTurnId = turnId
    for (const { id, text } of corrections.take()) {
      const params = { threadId, expectedTurnId, clientUserMessageId: id, input: [textInput(text)] }
      const sent = rpc.request('turn/steer', params).then(({ ok }) => {
        if (ok) corrections.delivered(id)
        else corrections.comesBack(id)
        sending.delete(sent)
      })
      sending.add(sent)
    }
  }

  function terminalOf(turn: Turn): TerminalEvent {
    if (verdict) return verdict
    if (turn.status === 'interrupted')
      return { type: 'failed', reason: 'interrupted', detail: 'Codex was interrupted.' }
    if (turn.status !== 'completed')
      return failureOf(turn.error ?? { message: `the turn ${turn.status}` }, translator.limits())
    const text = translator.answer()
    const output = spec.outputSchema ? answerIn(text, spec.outputSchema) : undefined
    return { type: 'done', text, ...(output === undefined ? {} : { output }) }
  }

  function refuse({ id, method }: RpcIncoming & { id: NonNullable<RpcIncoming['id']> }) {
    const refusal = refusalOf(method)
    if (!refusal) return rpc.refuse(id, `Dispatch does not answer ${method}`)
    rpc.respond(id, refusal.answer)
    return push({ type: 'notice', level: 'warn', text: `Refused: ${refusal.what}.` })
  }

  return {
    async open() {
      const hello = await rpc.request<{ userAgent?: string }>('initialize', HELLO)
      greeted = true
      if (!hello.ok) return { type: 'unsupported' }
      if (!isLeast(hello.result.userAgent ?? '', LEAST_APP_SERVER)) return { type: 'unsupported' }
      rpc.notify('initialized')
      const refused = await logIn(rpc, spec.env)
      return refused ?? openThread()
    },
    async work() {
      let next: Correction | undefined
      for (let text = spec.prompt; ; text = next.text) {
        const turn = await playTurn(text, next)
        patience.stop()
        if ('type' in turn) return verdict ?? turn
        const terminal = terminalOf(turn)
        if (terminal.type !== 'done') return terminal
        // one that came too late for this turn starts another: that one's answer counts
        next = corrections.takeOne()
        if (!next) return terminal
      }
    },
    async hear(incoming) {
      const { id, method } = incoming
      if (id !== undefined) return void (await refuse({ ...incoming, id }))
      const notification = incoming as Notification
      if (isOfAnother(notification, threadId)) return
      for (const event of translator.read(notification)) await push(event)
      if (isAnswer(notification)) patience.answered()
      if (notification.method === 'error' && notification.params.willRetry)
        patience.failedOnce(notification.params.error, translator.limits())
      const item = itemOf(notification)
      if (method === 'item/started' && item?.type === 'userMessage') corrections.heard(item)
      if (notification.method === 'turn/completed') turnEnded(notification.params.turn)
    },
    correct(correction) {
      corrections.add(correction)
      steer()
    },
    interrupt,
    hasGreeted: () => greeted,
    isWaiting: () => translator.toolsAtWork() === 0 && !patience.isTrying(),
    stop: patience.stop,
  }
}

const HELLO = {
  clientInfo: { name: 'dispatch', title: 'Dispatch', version: '1' },
  // for the raw events: tokens of each response, and what was refused; versions without them say less
  capabilities: { experimentalApi: true, requestAttestation: false },
}

const textInput = (text: string) => ({ type: 'text', text, text_elements: [] })

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

/** Switches off the person's MCP servers, which would give a run tools that its access does not know. */
async function withoutServers(rpc: JsonRpc): Promise<Record<string, unknown>> {
  const answer = await rpc.request<ConfigAnswer>('config/read', {})
  const servers = answer.ok ? Object.keys(answer.result.config?.mcp_servers ?? {}) : []
  return Object.fromEntries(servers.map((name) => [`mcp_servers.${name}.enabled`, false]))
}

/** Other threads of the same server are none of this run's. */
function isOfAnother({ params }: Notification, threadId: string): boolean {
  const of = (params as { threadId?: string } | undefined)?.threadId
  return of !== undefined && threadId !== '' && of !== threadId
}

function itemOf(notification: Notification): Item | undefined {
  const { method, params } = notification
  return method === 'item/started' || method === 'item/completed' ? params.item : undefined
}

/** True for what shows that the model answered. */
function isAnswer(notification: Notification): boolean {
  if (notification.method === 'thread/tokenUsage/updated') return true
  if (notification.method === 'item/agentMessage/delta') return true
  const item = itemOf(notification)
  return item !== undefined && item.type !== 'userMessage'
}
