import type { ServerResponse } from 'node:http'
import type { Dialect, Exchange } from './dialect.ts'
import type { ModelRequest, PlainStep, Said, StepUsage } from './step.ts'
import { breakOff, cut, EVENT_STREAM, newId, sendGarbage, sendJson } from './wire.ts'

/** The parts of Gemini's API that its CLI uses: https://ai.google.dev/api/generate-content. */
interface GenerateBody {
  systemInstruction?: string | Content
  contents?: Content[]
  tools?: { functionDeclarations?: { name: string }[] }[]
  generationConfig?: { responseSchema?: unknown; responseJsonSchema?: unknown }
}

interface Content {
  role?: 'user' | 'model'
  parts?: Part[]
}

interface Part {
  text?: string
  functionCall?: { id?: string; name: string; args: Record<string, unknown> }
  functionResponse?: { id?: string; name: string; response?: Record<string, unknown> }
}

/** Scripts call tools by the names of Claude Code; these are the CLI's own, which take the same input. */
const TOOLS: Readonly<Record<string, string>> = {
  Bash: 'run_shell_command',
  Read: 'read_file',
  Write: 'write_file',
}

const PATH = /\/v1(?:beta)?\/models\/([^/:]+):(\w+)$/

export const gemini: Dialect = {
  serves: (method, path) => method === 'POST' && PATH.test(path),
  read(path, body) {
    const [, model = '', verb = ''] = PATH.exec(path) ?? []
    return verb.endsWith('enerateContent') ? read(model, body as GenerateBody) : undefined
  },
  otherwise: (_path, body, response) =>
    sendJson(response, 200, { totalTokens: Math.ceil(JSON.stringify(body).length / 4) }),
  play,
}

function read(model: string, body: GenerateBody): Omit<ModelRequest, 'run'> {
  const { systemInstruction = '', contents = [], tools = [] } = body
  const system =
    typeof systemInstruction === 'string' ? systemInstruction : textOf(systemInstruction)
  const names = tools.flatMap(({ functionDeclarations = [] }) =>
    functionDeclarations.map(({ name }) => name),
  )
  const said = contents.flatMap(saidIn)
  return { kind: kindOf(body, system, names), model, system, tools: names, said }
}

function kindOf(
  { generationConfig = {}, contents = [] }: GenerateBody,
  system: string,
  tools: readonly string[],
): ModelRequest['kind'] {
  const last = contents.at(-1)
  if (/state_snapshot/.test(system + (last ? textOf(last) : ''))) return 'compaction'
  const { responseSchema, responseJsonSchema } = generationConfig
  return tools.length > 0 && !responseSchema && !responseJsonSchema ? 'main' : 'side'
}

function saidIn({ role, parts = [] }: Content): Said[] {
  const from = role === 'model' ? 'agent' : 'user'
  return parts.flatMap((part): Said[] => {
    if (part.functionCall) return [{ from, text: `[${part.functionCall.name}]` }]
    if (part.functionResponse) return [{ from: 'tool', text: outputOf(part.functionResponse) }]
    return part.text ? [{ from, text: neutral(part.text) }] : []
  })
}

function outputOf({ response = {} }: NonNullable<Part['functionResponse']>): string {
  const { output } = response
  return typeof output === 'string' ? output : JSON.stringify(response)
}

/** The CLI names its folder in words of its own. */
const neutral = (text: string) =>
  text.replace(/\*\*Workspace Directories:\*\*\s+- (.+)/, 'Working directory: $1')

const textOf = ({ parts = [] }: Content) => parts.map(({ text = '' }) => text).join('\n')

/** https://cloud.google.com/apis/design/errors#handling_errors */
const STATUS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
}

async function play(exchange: Exchange): Promise<boolean> {
  const { step, response } = exchange
  switch (step.do) {
    case 'fail':
      fail(response, step)
      return false
    case 'hang':
      return false
    case 'stall':
      begin(exchange)([{ text: 'I begin, and ' }])
      return false
    case 'drop':
      begin(exchange)([{ text: 'I begin, and ' }])
      await breakOff(response, '\n')
      return false
    case 'garbage':
      sendGarbage(response)
      return false
    case 'say':
    case 'call':
    case 'answer': {
      const parts = partsOf(step)
      if (exchange.path.endsWith(':streamGenerateContent')) return stream(exchange, parts)
      sendJson(response, 200, chunk(exchange, parts, true))
      return true
    }
    default:
      return step satisfies never
  }
}

/** This provider's words for what the scripts say in Anthropic's. */
function fail(response: ServerResponse, step: PlainStep & { do: 'fail' }): void {
  const { message, headers } = step
  const isQuota = /credit|quota/.test(message)
  const code = isQuota ? 429 : step.status === 529 ? 503 : step.status
  const error = { code, message: isQuota ? DAY_IS_OVER : message, status: STATUS[code] }
  const details = isQuota ? QUOTA : detailsOf(headers?.['retry-after'])
  sendJson(response, code, { error: { ...error, ...details } }, headers)
}

const DAY_IS_OVER = 'You exceeded your current quota, please check your plan and billing details.'
/** https://ai.google.dev/gemini-api/docs/rate-limits: what a day's end of it looks like. */
const QUOTA = {
  details: [
    {
      '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
      violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }],
    },
  ],
}

/** How this provider says when to come back. */
const detailsOf = (seconds: string | undefined) =>
  seconds === undefined
    ? {}
    : {
        details: [
          { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${seconds}s` },
        ],
      }

function partsOf(step: PlainStep & { do: 'say' | 'call' | 'answer' }): Part[] {
  const text: Part[] = step.text ? [{ text: step.text }] : []
  if (step.do === 'call') {
    const name = TOOLS[step.tool] ?? step.tool
    return [...text, { functionCall: { id: newId('call'), name, args: step.input } }]
  }
  if (step.do === 'say') return text
  return [...text, { text: `\n\`\`\`json\n${JSON.stringify(step.output)}\n\`\`\`` }]
}

async function stream(exchange: Exchange, parts: Part[]): Promise<boolean> {
  const { step, response } = exchange
  const send = begin(exchange)
  const pieces = step.do === 'say' ? (step.pieces ?? 3) : 3
  const everyMs = step.do === 'say' ? (step.everyMs ?? 0) : 0
  for (const part of parts)
    for (const piece of part.text === undefined ? [part] : cut(part.text, pieces).map(asPart)) {
      if (response.destroyed) return false
      send([piece])
      if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
  send([{ text: '' }], true)
  if (response.destroyed) return false
  response.end()
  return true
}

/** Opens the event stream; returns what sends parts. */
function begin(exchange: Exchange) {
  exchange.response.writeHead(200, EVENT_STREAM)
  return (parts: Part[], isLast = false) =>
    exchange.response.write(`data: ${JSON.stringify(chunk(exchange, parts, isLast))}\r\n\r\n`)
}

/** Every chunk carries the whole answer's tokens; `promptTokenCount` includes the cached. */
function chunk({ usage, request }: Exchange, parts: Part[], isLast: boolean) {
  return {
    candidates: [
      { content: { role: 'model', parts }, index: 0, ...(isLast ? { finishReason: 'STOP' } : {}) },
    ],
    usageMetadata: wireUsage(usage),
    modelVersion: request.model,
    responseId: newId('answer'),
  }
}

/** Nothing is charged for writing a cache here. */
function wireUsage({ input, output, cacheRead }: StepUsage) {
  const prompt = input + cacheRead
  return {
    promptTokenCount: prompt,
    candidatesTokenCount: output,
    totalTokenCount: prompt + output,
    cachedContentTokenCount: cacheRead,
  }
}

const asPart = (text: string): Part => ({ text })
