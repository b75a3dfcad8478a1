import type { RpcId, RpcMessage } from './wire.ts'

export type RpcAnswer<Result> = { ok: true; result: Result } | { ok: false; message: string }

/** What the other side begins: a notification, or a request (with `id`) that must be answered. */
export interface RpcIncoming {
  id?: RpcId
  method: string
  params: unknown
}

/** The client's half of JSON-RPC, one message a line, as the app-server speaks it: without the `jsonrpc` field. */
export interface JsonRpc {
  /** Never rejects: an error is an answer too. Stays open when the other side ends, which its exit tells better. */
  request<Result>(method: string, params: object): Promise<RpcAnswer<Result>>
  notify(method: string): void
  respond(id: RpcId, result: object): void
  refuse(id: RpcId, message: string): void
  /** Takes one line; what the other side began is returned, `undefined` for an answer, `'garbage'` for no message at all. */
  read(line: string): RpcIncoming | 'garbage' | undefined
  /** False while the other side has not shown that it speaks this at all. */
  hasAnswered(): boolean
}

const METHOD_NOT_FOUND = -32601

export function createJsonRpc(write: (line: string) => void): JsonRpc {
  const waiting = new Map<RpcId, (answer: RpcAnswer<unknown>) => void>()
  let nextId = 1
  let answered = false
  const send = (message: RpcMessage) => write(JSON.stringify(message))

  return {
    request<Result>(method: string, params: object) {
      return new Promise<RpcAnswer<Result>>((resolve) => {
        const id = nextId
        nextId += 1
        waiting.set(id, resolve as (answer: RpcAnswer<unknown>) => void)
        send({ id, method, params })
      })
    },
    notify: (method) => send({ method }),
    respond: (id, result) => send({ id, result }),
    refuse: (id, message) => send({ id, error: { code: METHOD_NOT_FOUND, message } }),
    read(line) {
      const message = parse(line)
      if (!message) return 'garbage'
      const { id, method, params, result, error } = message
      if (typeof method === 'string') return { method, params, ...(id === undefined ? {} : { id }) }
      if (id === undefined) return 'garbage'
      answered = true
      const settle = waiting.get(id)
      waiting.delete(id)
      settle?.(error ? { ok: false, message: error.message } : { ok: true, result })
      return undefined
    },
    hasAnswered: () => answered,
  }
}

function parse(line: string): RpcMessage | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as RpcMessage
  } catch {
    return undefined
  }
}
