import type { Dialect, Exchange } from './dialect.ts'
import type { ModelRequest, PlainStep, Said, StepUsage } from './step.ts'
import { breakOff, cut, EVENT_STREAM, newId, sendGarbage, sendJson } from './wire.ts'

/** The parts of Anthropic's Messages API that agents use: https://docs.anthropic.com/en/api/messages and …/messages-streaming. */
interface MessagesBody {
  model: string
  stream?: boolean
  max_tokens?: number
  system?: string | { text: string }[]
  tools?: { name: string }[]
  messages: { role: 'user' | 'assistant'; content: string | Block[] }[]
}

type Block =
  | { type: 'text'; text: string }
  | { type: 'tool_use'; id: string; name: string; input: unknown }
  | { type: 'tool_result'; content?: string | Block[] }

/** Claude Code gives a structured answer by a tool of this name. */
const ANSWER_TOOL = 'StructuredOutput'

export const anthropic: Dialect = {
  serves: (method, path) =>
    (method === 'POST' && /\/v1\/messages(?:\/count_tokens)?$/.test(path)) ||
    (method === 'HEAD' && path === '/'),
  read: (path, body) => (path.endsWith('/v1/messages') ? read(body as MessagesBody) : undefined),
  otherwise: (path, body, response) =>
    path === '/'
      ? void response.writeHead(200).end()
      : sendJson(response, 200, { input_tokens: Math.ceil(JSON.stringify(body).length / 4) }),
  play,
}

function read(body: MessagesBody): Omit<ModelRequest, 'run'> {
  const { system = '', tools = [], messages } = body
  const said = messages.flatMap(({ role, content }) => saidIn(role, content))
  const names = tools.map(({ name }) => name)
  return {
    kind: kindOf(body, said),
    model: body.model,
    system: typeof system === 'string' ? system : system.map(({ text }) => text).join('\n'),
    tools: names,
    said,
  }
}

function kindOf({ tools = [], max_tokens = 2 }: MessagesBody, said: Said[]): ModelRequest['kind'] {
  const last = said.findLast(({ from }) => from === 'user')?.text ?? ''
  if (/create a detailed summary|summary of the conversation/i.test(last)) return 'compaction'
  return tools.length > 0 && max_tokens > 1 ? 'main' : 'side'
}

function saidIn(role: 'user' | 'assistant', content: string | Block[]): Said[] {
  const from = role === 'user' ? 'user' : 'agent'
  if (typeof content === 'string') return [{ from, text: content }]
  return content.map((block) => {
    if (block.type === 'text') return { from, text: block.text }
    if (block.type === 'tool_use') return { from, text: `[${block.name}]` }
    const { content: result = '' } = block
    const text = typeof result === 'string' ? result : textOf(result)
    return { from: 'tool', text }
  })
}

const textOf = (blocks: Block[]) =>
  blocks.map((block) => (block.type === 'text' ? block.text : '')).join('\n')

async function play(exchange: Exchange): Promise<boolean> {
  const { step, response, request, body } = exchange
  switch (step.do) {
    case 'fail':
      sendJson(
        response,
        step.status,
        { type: 'error', error: { type: step.type, message: step.message } },
        step.headers,
      )
      return false
    case 'hang':
      return false
    case 'stall':
      begin(exchange)
      return false
    case 'drop':
      begin(exchange)
      await breakOff(response, ': cut\n\n')
      return false
    case 'garbage':
      sendGarbage(response)
      return false
    case 'say':
    case 'call':
    case 'answer': {
      const blocks = blocksOf(step, request.tools)
      if ((body as MessagesBody).stream) return stream(exchange, blocks)
      sendJson(response, 200, {
        ...message(exchange),
        content: blocks,
        ...ending(exchange, blocks),
      })
      return true
    }
    default:
      return step satisfies never
  }
}

function blocksOf(step: PlainStep & { do: 'say' | 'call' | 'answer' }, tools: readonly string[]) {
  const use = (name: string, input: unknown): Block => ({
    type: 'tool_use',
    id: newId('toolu'),
    name,
    input,
  })
  const blocks: Block[] = step.text ? [{ type: 'text', text: step.text }] : []
  if (step.do === 'call') blocks.push(use(step.tool, step.input))
  if (step.do === 'answer') {
    if (tools.includes(ANSWER_TOOL)) blocks.push(use(ANSWER_TOOL, step.output))
    else blocks.push({ type: 'text', text: `\n${JSON.stringify(step.output)}` })
  }
  return blocks
}

async function stream(exchange: Exchange, blocks: Block[]): Promise<boolean> {
  const { step, response } = exchange
  const send = begin(exchange)
  const { pieces = 3, everyMs = 0 } = step
  for (const [index, block] of blocks.entries()) {
    const isText = block.type === 'text'
    const empty = isText ? { type: 'text', text: '' } : { ...block, input: {} }
    send('content_block_start', { index, content_block: empty })
    const whole = isText ? block.text : JSON.stringify('input' in block ? block.input : {})
    for (const piece of cut(whole, isText ? pieces : 3)) {
      if (response.destroyed) return false
      const delta = isText
        ? { type: 'text_delta', text: piece }
        : { type: 'input_json_delta', partial_json: piece }
      send('content_block_delta', { index, delta })
      if (isText && everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
    send('content_block_stop', { index })
  }
  const { usage, ...delta } = ending(exchange, blocks)
  send('message_delta', { delta, usage: { output_tokens: usage.output_tokens } })
  send('message_stop', {})
  if (response.destroyed) return false
  response.end()
  return true
}

/** Opens the event stream with the message's head; returns what sends further events. */
function begin(exchange: Exchange) {
  const { response, usage } = exchange
  response.writeHead(200, { ...EVENT_STREAM, 'request-id': newId('req') })
  const send = (type: string, data: object) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`)
  const head = { ...message(exchange), content: [], usage: wireUsage({ ...usage, output: 1 }) }
  send('message_start', { message: head })
  return send
}

const message = ({ request }: Exchange) => ({
  id: newId('msg'),
  type: 'message',
  role: 'assistant',
  model: request.model,
  stop_reason: null,
  stop_sequence: null,
})

const ending = ({ usage }: Exchange, blocks: Block[]) => ({
  stop_reason: blocks.some((block) => block.type === 'tool_use') ? 'tool_use' : 'end_turn',
  stop_sequence: null,
  usage: wireUsage(usage),
})

const wireUsage = (usage: StepUsage) => ({
  input_tokens: usage.input,
  output_tokens: usage.output,
  cache_read_input_tokens: usage.cacheRead,
  cache_creation_input_tokens: usage.cacheWrite,
})
