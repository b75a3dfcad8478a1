import type { AgentEvent, RunSpec, TerminalEvent } from '../../contracts/agent.ts'
import type { Correction } from '../adapter.ts'
import { orAsItIs } from '../as-it-is.ts'
import { endByInterrupt } from '../endings.ts'
import { refusalOf } from './access.ts'
import { createCorrections } from './corrections.ts'
import { failureOf, reasonOf } from './failures.ts'
import type { JsonRpc, RpcIncoming } from './json-rpc.ts'
import { type OpenThread, openThread } from './open-thread.ts'
import { createPatience } from './patience.ts'
import { recordedTotal } from './rollout.ts'
import { answerIn, strictSchema } from './strict-schema.ts'
import { createTranslator } from './translator.ts'
import type { Item, Notification, RpcId, Turn, TurnAnswer } from './wire.ts'

/** What is said with one app-server about one thread. */
export interface Conversation {
  /** Up to the thread's id, before any request to the model. `unsupported`: too old, to be driven by `codex exec`. */
  open(): ReturnType<typeof openThread>
  /** From the prompt to the end of the last turn. */
  work(): Promise<TerminalEvent>
  hear(incoming: RpcIncoming): Promise<void>
  correct(correction: Correction): void
  /** False when there is no turn yet that could be asked to stop. */
  interrupt(): boolean
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
  const { cwd, env, resumeSessionId } = spec
  const translator = createTranslator(
    cwd,
    resumeSessionId === undefined ? undefined : recordedTotal(env, resumeSessionId),
  )
  const corrections = createCorrections((id, state) => void push({ type: 'correction', id, state }))
  const sending = new Set<Promise<void>>()
  const schema = spec.outputSchema && strictSchema(spec.outputSchema)
  let threadId = ''
  let fence: OpenThread['fence'] = {}
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

  async function playTurn(text: string, correction?: Correction): Promise<Turn | TerminalEvent> {
    const ended = new Promise<Turn>((resolve) => {
      turnEnded = resolve
    })
    const answer = await rpc.request<TurnAnswer>('turn/start', {
      threadId,
      input: [textInput(text)],
      ...fence,
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
    if (turn.status === 'interrupted') return endByInterrupt('Codex')
    if (turn.status !== 'completed')
      return failureOf(turn.error ?? { message: `the turn ${turn.status}` }, translator.limits())
    const text = translator.answer()
    const output = spec.outputSchema ? answerIn(text, spec.outputSchema) : undefined
    return { type: 'done', text, ...(output === undefined ? {} : { output }) }
  }

  function refuse({ id, method }: { id: RpcId; method: string }) {
    const refusal = refusalOf(method)
    if (!refusal) return rpc.refuse(id, `Dispatch does not answer ${method}`)
    rpc.respond(id, refusal.answer)
    return push({ type: 'notice', level: 'warn', text: `Refused: ${refusal.what}.` })
  }

  /** What a notification means for the course of the run, besides its events. */
  function follow(notification: Notification) {
    if (isAnswer(notification)) patience.answered()
    switch (notification.method) {
      case 'error':
        if (notification.params.willRetry)
          patience.failedOnce(notification.params.error, translator.limits())
        return
      case 'item/started':
        if (notification.params.item.type === 'userMessage')
          corrections.heard(notification.params.item)
        return
      case 'turn/completed':
        return turnEnded(notification.params.turn)
    }
  }

  return {
    async open() {
      const opened = await openThread(rpc, spec)
      if (opened.type !== 'open') return opened
      threadId = opened.threadId
      fence = opened.fence
      const { model } = opened
      await push({ type: 'session', sessionId: threadId, ...(model ? { model } : {}) })
      return opened
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
      if (id !== undefined) return void (await refuse({ id, method }))
      const notification = incoming as Notification
      if (isOfAnother(notification, threadId)) return
      // first what it means for the course: events that cannot be read must not keep a turn from its end
      const events = orAsItIs(notification, () => {
        follow(notification)
        return translator.read(notification)
      })
      for (const event of events) await push(event)
    },
    correct(correction) {
      corrections.add(correction)
      steer()
    },
    interrupt,
    isWaiting: () => translator.toolsAtWork() === 0 && !patience.isTrying(),
    stop: patience.stop,
  }
}

const textInput = (text: string) => ({ type: 'text', text, text_elements: [] })

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
