import { closeSync, constants, openSync, readSync } from 'node:fs'
import { styleText } from 'node:util'
import type { Report } from './failure.ts'
import { withFields } from './json-fields.ts'
import { displayWidth, oneLine, padEnd, sanitize, truncate } from './terminal-text.ts'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'cyan' | 'magenta'

export interface Cell {
  text: string
  style?: Style
}
export interface Column {
  title: string
  /** Gives way first when the terminal is too narrow. */
  flexible?: true
}

/** Where a command's words go: data to stdout, everything said about it to stderr. */
export interface Io {
  /** stdout is a terminal. */
  readonly tty: boolean
  /** What is drawn in place is seen there: not in a pipe, and not on a terminal that knows no cursor. */
  readonly draws: boolean
  /** A question can be asked and answered. */
  readonly interactive: boolean
  readonly json: boolean
  readonly columns: number
  readonly rows: number
  paint(style: Style, text: string): string
  /** A foreign text made safe for this stdout. */
  clean(text: string): string
  /** A line of data, already safe. Says nothing with --json. */
  print(line?: string): void
  /** One JSON document, or one line of many with `line`. */
  document(value: unknown, options?: { line?: boolean }): void
  /** From now on documents have these fields alone. */
  choose(fields: readonly string[]): void
  /** Aligned with a header on a terminal; tab-separated, whole and without a header in a pipe. */
  table(columns: readonly Column[], rows: readonly (readonly (Cell | string)[])[]): void
  /** A line to the person on stderr. Says nothing with --json. */
  note(line: string): void
  failure(report: Report): void
  /** Raw bytes to the terminal, for what is drawn in place. */
  draw(text: string): void
  /** Asks on stderr; only when `interactive`. The default is no. */
  confirm(question: string): Promise<boolean>
  readAll(): Promise<string>
  /** The bytes that `readAll` has read; none when nobody asked for them. */
  readonly input: Buffer
}

export interface IoOptions {
  /** `process`, whose getters make a stream when it is first asked for: stdin must cost nothing when nobody reads it. */
  streams: Pick<typeof process, 'stdin' | 'stdout' | 'stderr'>
  env: Record<string, string | undefined>
  json: boolean
  noInput: boolean
  /** The reader of stdout went away, as in `dispatch goals | head -1`. */
  onClosed: () => void
  /** What is printed cannot be written, as where the disk is full. */
  onUnwritable: (error: Error) => void
}

/** The only place that writes to the process's streams. */
export function createIo(options: IoOptions): Io {
  const { streams, env, json } = options
  const { stdout, stderr } = streams
  const tty = stdout.isTTY === true
  const colours = wantsColours(env, tty)
  const noteColours = wantsColours(env, stderr.isTTY === true)
  tellOfErrors(options)
  const paint = (style: Style, text: string) => (colours ? painted(style, text) : text)
  let input = Buffer.alloc(0)
  let chosen: readonly string[] | undefined
  const io: Io = {
    tty,
    draws: tty && !json && env['TERM'] !== 'dumb',
    get interactive() {
      if (options.noInput || json || stderr.isTTY !== true) return false
      return streams.stdin.isTTY === true
    },
    json,
    get columns() {
      return Math.max(20, stdout.columns || 80)
    },
    get rows() {
      return Math.max(5, stdout.rows || 24)
    },
    paint,
    clean: (text) => sanitize(text, { colours }),
    print(line = '') {
      if (!json) stdout.write(`${line}\n`)
    },
    document(value, { line = false } = {}) {
      const shown = chosen ? withFields(value, chosen) : value
      stdout.write(`${safeJson(shown, line || !tty ? undefined : 2)}\n`)
    },
    choose(fields) {
      chosen = fields
    },
    table(columns, rows) {
      if (json) return
      const lines = tty
        ? alignedLines({
            columns,
            rows: rows.map((row) => row.map(toCell)),
            width: io.columns,
            paint,
          })
        : rows.map((row) => row.map((cell) => oneLine(toCell(cell).text)).join('\t'))
      if (lines.length > 0) stdout.write(`${lines.join('\n')}\n`)
    },
    note(line) {
      if (!json) stderr.write(`${line}\n`)
    },
    failure(report) {
      if (json) return void stderr.write(`${safeJson(report.problem)}\n`)
      const lines = failureLines(report)
      const red = noteColours ? painted('red', 'error') : 'error'
      stderr.write(`${red}: ${lines.join('\n')}\n`)
    },
    draw: (text) => void stdout.write(text),
    confirm: (question) => ask({ stdin: streams.stdin, stderr, question }),
    async readAll() {
      const chunks: Buffer[] = []
      for await (const chunk of streams.stdin) chunks.push(Buffer.from(chunk))
      input = Buffer.concat(chunks)
      return input.toString('utf8')
    },
    get input() {
      return input
    },
  }
  return io
}

function tellOfErrors({ streams, onClosed, onUnwritable }: IoOptions) {
  let told = false
  for (const stream of [streams.stdout, streams.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') return onClosed()
      if (told) return // that it cannot be written could not be written either
      told = true
      onUnwritable(error)
    })
  }
}

function wantsColours(env: IoOptions['env'], tty: boolean): boolean {
  if (env['NO_COLOR']) return false
  if (env['CLICOLOR_FORCE'] && env['CLICOLOR_FORCE'] !== '0') return true
  return tty && env['CLICOLOR'] !== '0' && env['TERM'] !== 'dumb'
}

/** Node would ask stdout whether it takes colours, whatever was asked for and whichever stream it is for. */
const painted = (style: Style, text: string) => styleText(style, text, { validateStream: false })

/** JSON escapes C0 by itself; DEL and C1 could still drive a terminal. */
function safeJson(value: unknown, indent?: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it escapes
  return JSON.stringify(value, null, indent).replace(/[\u007f-\u009f]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

const toCell = (cell: Cell | string): Cell => (typeof cell === 'string' ? { text: cell } : cell)

const GAP = 2
const NARROWEST = 8

function alignedLines(table: {
  columns: readonly Column[]
  rows: Cell[][]
  width: number
  paint: Io['paint']
}): string[] {
  const { columns, width, paint } = table
  const rows = table.rows.map((row) => row.map((cell) => ({ ...cell, text: oneLine(cell.text) })))
  const widths = columns.map(({ title }, at) =>
    Math.max(displayWidth(title), ...rows.map((row) => displayWidth(row[at]?.text ?? ''))),
  )
  shrink(columns, widths, width)
  const line = (cells: Cell[]) =>
    cells
      .map(({ text, style }, at) => {
        const room = widths[at] ?? 0
        const shown = truncate(text, room)
        const padded = at === cells.length - 1 ? shown : padEnd(shown, room)
        return style ? paint(style, padded) : padded
      })
      .join(' '.repeat(GAP))
      .trimEnd()
  const header = line(columns.map(({ title }) => ({ text: title, style: 'dim' })))
  return [header, ...rows.map(line)]
}

/** Takes what is too wide from the flexible columns, widest first; with none of them lines may wrap. */
function shrink(columns: readonly Column[], widths: number[], width: number) {
  let excess = widths.reduce((sum, each) => sum + each + GAP, -GAP) - width
  while (excess > 0) {
    const at = columns.reduce(
      (best, column, index) =>
        column.flexible && (widths[index] ?? 0) > (widths[best] ?? 0) ? index : best,
      -1,
    )
    const now = widths[at]
    if (now === undefined || now <= NARROWEST) return
    widths[at] = Math.max(NARROWEST, now - 1)
    excess -= 1
  }
}

function failureLines({ problem }: Report): string[] {
  const lines = [sanitize(problem.detail || problem.title)]
  const errors = problem.errors ?? []
  // one alone is what the line above says
  for (const { pointer, detail } of errors.length > 1 ? errors : [])
    lines.push(`  ${oneLine(pointer)}: ${oneLine(detail)}`)
  for (const [key, value] of Object.entries(problem.current ?? {})) {
    if (value === null || value === undefined) continue
    const shown = typeof value === 'object' ? JSON.stringify(value) : String(value)
    lines.push(`  ${oneLine(key)}: ${oneLine(shown)}`)
  }
  if (problem.advice) lines.push(sanitize(problem.advice))
  return lines
}

async function ask(options: {
  stdin: NodeJS.ReadStream
  stderr: NodeJS.WriteStream
  question: string
}): Promise<boolean> {
  const { createInterface } = await import('node:readline')
  forgetTyped()
  const lines = createInterface({ input: options.stdin, output: options.stderr })
  try {
    const answer = await new Promise<string>((resolve) => {
      lines.once('close', () => resolve(''))
      lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'))
      lines.question(`${options.question} [y/N] `, resolve)
    })
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    lines.close()
  }
}

/** What was typed before the question was there is no answer to it. */
function forgetTyped(): void {
  let fd: number | undefined
  try {
    fd = openSync('/dev/stdin', constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
    const typed = Buffer.alloc(4096)
    while (readSync(fd, typed) > 0);
  } catch {
    // nothing more is there; or the terminal is another user's, as under sudo, and cannot be opened anew
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
