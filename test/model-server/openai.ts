import type { ServerResponse } from 'node:http'
import type { Dialect, Exchange } from './dialect.ts'
import type { ModelRequest, PlainStep, Said, StepUsage } from './step.ts'
import { breakOff, cut, EVENT_STREAM, newId, sendGarbage, sendJson } from './wire.ts'

/** The parts of OpenAI's Responses API that Codex uses: https://platform.openai.com/docs/api-reference/responses. */
interface ResponsesBody {
  model: string
  instructions?: string
  tools?: Tool[]
  input: InputItem[]
  client_metadata?: Record<string, string>
}

interface Tool {
  type: string
  name?: string
  tools?: Tool[]
}

type InputItem =
  | { type: 'message'; role: 'developer' | 'user' | 'assistant'; content: { text?: string }[] }
  | { type: 'function_call' | 'custom_tool_call'; name: string }
  | { type: 'function_call_output' | 'custom_tool_call_output'; output: unknown }
  /** Newer models get their tools here, behind the one tool `exec`, which runs JavaScript. */
  | { type: 'additional_tools'; tools?: Tool[] }
  | { type: 'compaction_trigger' | 'compaction' | 'reasoning' }

export const openai: Dialect = {
  serves: (method, path) =>
    (method === 'POST' || method === 'GET') && /\/(?:responses|models)$/.test(path),
  read: (path, body) =>
    path.endsWith('/responses') && body ? read(body as ResponsesBody) : undefined,
  // Codex asks for a WebSocket first; 426 makes it use HTTP at once
  otherwise: (path, _body, response) =>
    path.endsWith('/responses')
      ? void response.writeHead(426).end()
      : sendJson(response, 200, { object: 'list', data: [], models: [] }),
  play,
}

function read(body: ResponsesBody): Omit<ModelRequest, 'run'> {
  const { instructions = '', model, input } = body
  const more = input.flatMap((item) => (item.type === 'additional_tools' ? [item] : []))
  const tools = [...(body.tools ?? []), ...more.flatMap((item) => item.tools ?? [])]
  const told = input.flatMap((item) =>
    item.type === 'message' && isContext(item) ? [textOf(item)] : [],
  )
  const cwd = /<cwd>([^<]+)<\/cwd>/.exec(told.join('\n'))?.[1] ?? ''
  return {
    kind: input.at(-1)?.type === 'compaction_trigger' ? 'compaction' : 'main',
    model,
    system: [instructions, ...told, `Working directory: ${cwd}`].join('\n'),
    tools: tools.flatMap(namesOf),
    said: input.flatMap(saidIn),
  }
}

const namesOf = ({ type, name, tools }: Tool): string[] =>
  type === 'namespace' ? (tools ?? []).flatMap(namesOf) : [name ?? type]

type Message = InputItem & { type: 'message' }

/** What Codex tells the model of itself, of the machine and of its rules; the rest was said by people. */
const isContext = (item: Message) =>
  item.role === 'developer' || /^\s*<(?:environment_context|user_instructions)>/.test(textOf(item))

const textOf = ({ content }: Message) => content.map(({ text }) => text ?? '').join('')

function saidIn(item: InputItem): Said[] {
  switch (item.type) {
    case 'message':
      if (isContext(item)) return []
      return [{ from: item.role === 'assistant' ? 'agent' : 'user', text: textOf(item) }]
    case 'function_call':
    case 'custom_tool_call':
      return [{ from: 'agent', text: `[${item.name}]` }]
    case 'function_call_output':
    case 'custom_tool_call_output': {
      const { output } = item
      return [{ from: 'tool', text: typeof output === 'string' ? output : JSON.stringify(output) }]
    }
    default:
      return []
  }
}

type OutputItem = { id: string; type: string; status?: string } & Record<string, unknown>

async function play(exchange: Exchange): Promise<boolean> {
  const { step, response, request } = exchange
  switch (step.do) {
    case 'fail':
      fail(response, step)
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
    case 'answer':
      return stream(exchange, request.kind === 'compaction' ? [compaction()] : itemsOf(exchange))
    default:
      return step satisfies never
  }
}

/** OpenAI's words for what the scripts say in Anthropic's. */
function fail(response: ServerResponse, step: PlainStep & { do: 'fail' }): void {
  const { message, headers } = step
  const is = (words: RegExp) => words.test(`${step.type} ${message}`)
  const [status, code] = is(/too long/)
    ? ([400, 'context_length_exceeded'] as const)
    : is(/credit|quota/)
      ? ([429, 'insufficient_quota'] as const)
      : is(/overloaded/)
        ? ([503, 'server_is_overloaded'] as const)
        : ([step.status, step.type] as const)
  const error = { type: code, code, message, param: null }
  sendJson(response, status, { error }, headers)
}

function itemsOf({ step, request }: Exchange): OutputItem[] {
  const items: OutputItem[] = []
  const say = (text: string) =>
    items.push({
      ...{ id: newId('msg'), type: 'message', status: 'completed', role: 'assistant' },
      content: [{ type: 'output_text', text, annotations: [] }],
    })
  if ('text' in step && step.text) say(step.text)
  if (step.do === 'call') items.push(toolCall(step, request.tools))
  // the last message is the structured answer
  if (step.do === 'answer') say(JSON.stringify(step.output))
  return items
}

/** The scripts name the tools of Claude Code. */
function toolCall(
  { tool, input }: PlainStep & { do: 'call' },
  tools: readonly string[],
): OutputItem {
  const { command, file_path: path, content } = input as Record<string, string>
  if (tool === 'Write') {
    const body = (content ?? '').replace(/\n$/, '').split('\n')
    const added = body.map((line) => `+${line}`).join('\n')
    const patch = `*** Begin Patch\n*** Add File: ${path}\n${added}\n*** End Patch\n`
    return tools.includes('apply_patch')
      ? custom('apply_patch', patch)
      : custom('exec', `text(await tools.apply_patch(${JSON.stringify(patch)}));`)
  }
  if (tool !== 'Bash' && tool !== 'Read') throw new Error(`Codex has no tool like ${tool}`)
  const call = { cmd: tool === 'Read' ? `cat '${path}'` : command, yield_time_ms: 30_000 }
  if (!tools.includes('exec_command'))
    return custom('exec', `text(await tools.exec_command(${JSON.stringify(call)}));`)
  const args = JSON.stringify(call)
  const base = {
    id: newId('fc'),
    type: 'function_call',
    status: 'completed',
    call_id: newId('call'),
  }
  return { ...base, name: 'exec_command', arguments: args }
}

const custom = (name: string, input: string): OutputItem => ({
  ...{ id: newId('ctc'), type: 'custom_tool_call', status: 'completed', call_id: newId('call') },
  name,
  input,
})

/** What the provider makes of a conversation that became too long: nobody but itself can read it. */
const compaction = (): OutputItem => ({
  id: newId('cmp'),
  type: 'compaction',
  encrypted_content: 'what was done so far: a scripted summary',
})

async function stream(exchange: Exchange, items: OutputItem[]): Promise<boolean> {
  const { step, response, usage } = exchange
  const { send, head } = begin(exchange)
  const pieces = step.do === 'say' ? (step.pieces ?? 3) : 3
  const everyMs = step.do === 'say' ? (step.everyMs ?? 0) : 0
  for (const [output_index, item] of items.entries()) {
    const text = (item['content'] as { text: string }[] | undefined)?.[0]?.text
    const empty = text === undefined ? {} : { content: [] }
    const started = { ...item, ...empty, status: 'in_progress' }
    send('response.output_item.added', { output_index, item: started })
    for (const delta of cut(text ?? '', pieces)) {
      if (response.destroyed) return false
      const at = { item_id: item.id, output_index, content_index: 0 }
      send('response.output_text.delta', { ...at, delta })
      if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
    send('response.output_item.done', { output_index, item })
  }
  const whole = { ...head, status: 'completed', output: items, usage: wireUsage(usage) }
  send('response.completed', { response: whole })
  if (response.destroyed) return false
  response.end()
  return true
}

/** Opens the event stream; returns its head and what sends further events. */
function begin({ response, request }: Exchange) {
  response.writeHead(200, { ...EVENT_STREAM, 'x-request-id': newId('req') })
  let sequence_number = 0
  const send = (type: string, data: object) => {
    response.write(
      `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number, ...data })}\n\n`,
    )
    sequence_number += 1
  }
  const created_at = Math.floor(Date.now() / 1000)
  const head = { id: newId('resp'), object: 'response', created_at, model: request.model }
  send('response.created', { response: { ...head, status: 'in_progress', output: [] } })
  return { send, head }
}

/** Here the input counts the cached ones, those written to the cache, and everything. */
const wireUsage = ({ input, output, cacheRead, cacheWrite }: StepUsage) => ({
  input_tokens: input + cacheRead + cacheWrite,
  input_tokens_details: { cached_tokens: cacheRead, cache_write_tokens: cacheWrite },
  output_tokens: output,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: input + cacheRead + cacheWrite + output,
})
