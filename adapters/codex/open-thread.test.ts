import { expect, test } from 'vitest'
import type { RunSpec } from '../../contracts/agent.ts'
import { createJsonRpc, type JsonRpc } from './json-rpc.ts'
import { openThread } from './open-thread.ts'
import type { RpcMessage } from './wire.ts'

const spec = { cwd: '/work', env: { HOME: '/nowhere' }, access: 'write' } as unknown as RunSpec
const ANSWERS: Readonly<Record<string, object>> = {
  initialize: { userAgent: 'dispatch/0.169.0' },
  'config/read': { config: { mcp_servers: { 'a.b': { command: 'x' } } } },
  'thread/start': { thread: { id: 'thread-1' } },
}

/** An app-server that answers `method` with an error or with something else; what it was asked is kept. */
function appServer(method: string, other: Partial<RpcMessage>) {
  const asked: RpcMessage[] = []
  const rpc: JsonRpc = createJsonRpc((line) => {
    const message = JSON.parse(line) as RpcMessage
    asked.push(message)
    const answer = message.method === method ? other : { result: ANSWERS[message.method ?? ''] }
    queueMicrotask(() => rpc.read(JSON.stringify({ id: message.id, ...answer })))
  })
  return { rpc, asked: (name: string) => asked.filter((one) => one.method === name) }
}

test("the person's MCP servers are switched off, whatever their names are", async () => {
  const { rpc, asked } = appServer('', {})
  expect(await openThread(rpc, spec)).toMatchObject({ type: 'open', threadId: 'thread-1' })
  expect(asked('thread/start')).toMatchObject([
    { params: { config: { mcp_servers: { 'a.b': { enabled: false } } } } },
  ])
})

test.each([
  ['an error', { error: { code: -32603, message: 'cannot read config.toml' } }],
  ['nothing', { result: {} }],
])(
  'no thread is begun when the settings are answered with %s: its MCP servers would stay on',
  async (_what, answer) => {
    const { rpc, asked } = appServer('config/read', answer)
    const detail = expect.stringMatching(/MCP servers/)
    expect(await openThread(rpc, spec)).toMatchObject({ type: 'failed', reason: 'crash', detail })
    expect(asked('thread/start')).toEqual([])
  },
)
