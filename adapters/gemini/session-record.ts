import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { NO_USAGE, type Usage } from '../../contracts/agent.ts'
import type { RecordLine } from './wire.ts'

/**
 * Gemini CLI writes each answer with its tokens into the session's file, and says nothing of them before its result, which a run that is
 * killed never gives. So they are read there, from where the file ended when this run began.
 */
export interface SessionRecord {
  /** What was written down since the last look. */
  read(): News
}

interface News {
  /** Tokens of the answers of this run so far; undefined while there is no new answer. */
  usage?: Usage
  /** What the conversation was shortened to. */
  summaries: string[]
}

/** `sessions`: the folders of projects. */
export function createSessionRecord(sessions: string, sessionId: string): SessionRecord {
  const offsets = new Map(filesOf(sessions, sessionId).map((path) => [path, statSync(path).size]))
  const answers = new Map<string, Usage>()
  const known = new Set<string>()
  const linesOf = (path: string) => {
    const { lines, end } = linesFrom(path, offsets.get(path) ?? 0)
    offsets.set(path, end)
    return lines
  }
  /** The summary in it, where it has a new one. */
  const take = ({ id, tokens, $set }: RecordLine): string[] => {
    if (id && tokens) answers.set(id, usageOf(tokens))
    const summary = summaryIn($set?.messages ?? [])
    if (summary === undefined || known.has(summary)) return []
    known.add(summary)
    // one that stands there before the first answer is an earlier run's
    return answers.size > 0 ? [summary] : []
  }
  return {
    read() {
      const before = answers.size
      const lines = filesOf(sessions, sessionId).flatMap(linesOf)
      const summaries = lines.flatMap((line) => readable(() => take(line), []))
      if (answers.size === before) return { summaries }
      return { summaries, usage: [...answers.values()].reduce(add, { ...NO_USAGE }) }
    },
  }
}

/** A line that another version writes in another way tells nothing and stays as it is: it ends no run, whose work is paid for. */
function readable<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch {
    return otherwise
  }
}

/** What it makes the model say to a summary of the conversation so far, which stands before it. */
const THANKS = 'Got it. Thanks for the additional context!'

function summaryIn(messages: readonly RecordLine[]): string | undefined {
  const at = messages.findIndex(
    ({ type, content }) => type === 'gemini' && textOf(content) === THANKS,
  )
  return at > 0 ? textOf(messages[at - 1]?.content) : undefined
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: { text?: string }) => part.text ?? '').join('')
}

/** A session may have several files: the name holds the minute of a start and the first part of the id. */
function filesOf(sessions: string, sessionId: string): string[] {
  const end = `-${sessionId.slice(0, 8)}.jsonl`
  return namesIn(sessions).flatMap((project) => {
    const chats = join(sessions, project, 'chats')
    return namesIn(chats)
      .filter((name) => name.endsWith(end))
      .map((name) => join(chats, name))
  })
}

function namesIn(folder: string): string[] {
  return existsSync(folder) && statSync(folder).isDirectory() ? readdirSync(folder) : []
}

/** Whole lines from `offset` on; `end` is behind the last of them. */
function linesFrom(path: string, offset: number): { lines: RecordLine[]; end: number } {
  const size = statSync(path).size - offset
  if (size <= 0) return { lines: [], end: offset }
  const bytes = Buffer.alloc(size)
  const file = openSync(path, 'r')
  try {
    readSync(file, bytes, 0, size, offset)
  } finally {
    closeSync(file)
  }
  const whole = bytes.lastIndexOf(0x0a) + 1
  const texts = bytes.subarray(0, whole).toString('utf8').split('\n')
  return { lines: texts.flatMap((text) => parsed(text) ?? []), end: offset + whole }
}

function parsed(text: string): RecordLine | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as RecordLine) : undefined
  } catch {
    return undefined
  }
}

const usageOf = (tokens: NonNullable<RecordLine['tokens']>): Usage => {
  const { input = 0, output = 0, cached = 0, thoughts = 0 } = tokens
  return {
    input: input - cached,
    output: output + thoughts,
    cacheRead: cached,
    cacheWrite: 0,
    reasoning: thoughts,
  }
}

const add = (a: Usage, b: Usage): Usage => ({
  input: a.input + b.input,
  output: a.output + b.output,
  cacheRead: a.cacheRead + b.cacheRead,
  cacheWrite: a.cacheWrite + b.cacheWrite,
  reasoning: a.reasoning + b.reasoning,
})

/**
 * Mends the session's files before it is continued. The CLI (0.61) writes each tool's result down twice, with the call and as a message, and
 * sends both to the model when it resumes: the tokens are paid twice, and its API wants as many results as calls. Calls that never got
 * a result, because the process was killed, are taken out for the same reason.
 */
export function mendSession(sessions: string, sessionId: string): void {
  for (const path of filesOf(sessions, sessionId)) {
    const text = readFileSync(path, 'utf8')
    const mended = mend(text)
    if (mended === text) continue
    writeFileSync(`${path}.mended`, mended, { mode: 0o600 })
    renameSync(`${path}.mended`, path)
  }
}

/** Exported for its test. `text`: a session's file, in which a `$set` of messages replaces all before it. */
export function mend(text: string): string {
  let told = new Set<string>()
  const mendLine = (line: string): string[] => {
    const record = parsed(line)
    if (!record) return [line]
    const { messages } = record.$set ?? {}
    if (messages) told = new Set(toldIn(messages))
    for (const id of toldIn([record])) told.add(id)
    const kept = messages ? withMended(record, messages, told) : mended(record, told)
    if (kept === record) return [line]
    return kept ? [JSON.stringify(kept)] : []
  }
  const lines = text.split('\n')
  return lines.flatMap((line) => readable(() => mendLine(line), [line])).join('\n')
}

/** Ids of calls whose result stands beside them. */
const toldIn = (messages: readonly RecordLine[]): string[] =>
  messages
    .flatMap(({ toolCalls = [] }) => toolCalls)
    .flatMap(({ id, result }) => (result === undefined ? [] : [id]))

/** The same record when there is nothing to mend. */
function withMended(
  record: RecordLine,
  messages: readonly RecordLine[],
  told: ReadonlySet<string>,
): RecordLine {
  const kept = messages.flatMap((message) => mended(message, told) ?? [])
  const isSame = kept.length === messages.length && kept.every((each, at) => each === messages[at])
  return isSame ? record : { ...record, $set: { ...record.$set, messages: kept } }
}

/** The same message when there is nothing to mend, undefined when nothing is left of it. */
function mended(message: RecordLine, told: ReadonlySet<string>): RecordLine | undefined {
  if (message.type === 'user' && isEcho(message.content, told)) return undefined
  const { toolCalls } = message
  if (!toolCalls?.some(({ result }) => result === undefined)) return message
  return { ...message, toolCalls: toolCalls.filter(({ result }) => result !== undefined) }
}

function isEcho(content: unknown, told: ReadonlySet<string>): boolean {
  if (!Array.isArray(content) || content.length === 0) return false
  return content.every((part: { functionResponse?: { id?: string } }) =>
    told.has(part.functionResponse?.id ?? ''),
  )
}
