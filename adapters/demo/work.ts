import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { has, namedIn } from './answers.ts'
import type { DemoPrinter } from './output.ts'
import type { DemoRequest } from './request.ts'
import { notImplemented, SAMPLE_FUNCTIONS, type SampleFunction } from './sample.ts'

/** Functions of the sample that nobody has written yet in this folder; none in any other project. */
export function missingFunctions(cwd: string): SampleFunction[] {
  return SAMPLE_FUNCTIONS.filter(({ file, name }) => {
    const path = join(cwd, file)
    return existsSync(path) && readFileSync(path, 'utf8').includes(notImplemented(name))
  })
}

/** Writes what the task asks for. Returns the files that it touched, relative to `cwd`. */
export async function doTheWork(
  request: DemoRequest,
  cwd: string,
  { printer, corrections }: { printer: DemoPrinter; corrections: readonly string[] },
): Promise<string[]> {
  const writes = planWrites(request, cwd, corrections)
  for (const [file, content] of writes) {
    const path = join(cwd, file)
    const change = existsSync(path) ? 'edit' : 'create'
    const id = `write-${file}`
    await printer.print({ type: 'tool_start', id, name: 'write_file', input: file })
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    await printer.print({ type: 'tool_end', id, ok: true, output: `${content.length} characters` })
    await printer.print({ type: 'file', path: file, change })
  }
  const files = [...writes.keys()]
  if (has(request, 'commit') && files.length > 0) await commit(request, cwd, printer)
  return files
}

function planWrites(
  request: DemoRequest,
  cwd: string,
  corrections: readonly string[],
): Map<string, string> {
  const writes = new Map<string, string>()
  const title = request.task?.title ?? request.goalTitle
  if (has(request, 'no-changes') || isLying(request)) return writes
  if (has(request, 'conflict')) writes.set('README.md', conflictingReadme(cwd, title))
  for (const { name, argument } of request.behaviours)
    if (name === 'edit' && argument !== '')
      writes.set(argument, `${textOf(join(cwd, argument))}${title}\n`)
  if (writes.size > 0) return writes
  if (request.stage === 'frontend') return writes.set('web/index.html', page(title))
  const missing = missingFunctions(cwd)
  const named = namedIn(request, missing)
  for (const { file, solution } of named.length > 0 ? named : missing) writes.set(file, solution)
  // Sample functions come first; a task about nothing of the kind gets a note, and so does a correction.
  if (writes.size === 0 || corrections.length > 0)
    writes.set(`notes/${slug(title)}.md`, note(request, corrections))
  return writes
}

/** Claims to have done the work and has not. */
export const isLying = (request: DemoRequest) =>
  has(request, 'lie') || (has(request, 'lie-once') && request.attempt === 1)

function conflictingReadme(cwd: string, title: string): string {
  const [, ...rest] = textOf(join(cwd, 'README.md')).split('\n')
  return [`# ${title}`, ...rest].join('\n').replace(/\n*$/, '\n')
}

const textOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '')

const slug = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60) || 'task'

function note(request: DemoRequest, corrections: readonly string[]): string {
  const { task, goalTitle, attempt } = request
  const asked = corrections.map((text) => `- Correction: ${text}\n`).join('')
  return `# ${task?.title ?? goalTitle}\n\n${task?.description ?? request.goal}\n\nWritten by the demo agent, attempt ${attempt}.\n${asked}`
}

const page = (title: string) => `<!doctype html>
<html lang="en">
  <meta charset="utf-8" />
  <meta name="viewport" content="width=device-width, initial-scale=1" />
  <title>${escapeHtml(title)}</title>
  <main>
    <h1>${escapeHtml(title)}</h1>
    <p>Made by the demo agent.</p>
  </main>
</html>
`

const escapeHtml = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

/** Runs the project's own tests, if it has any, and shows it like a tool call. */
export async function runTests(cwd: string, printer: DemoPrinter) {
  const script = testScript(cwd)
  if (script === undefined) return { ran: false, ok: true, output: '' }
  const result = await runCommand(script, cwd, printer)
  return { ran: true, ...result }
}

function testScript(cwd: string): string | undefined {
  const path = join(cwd, 'package.json')
  if (!existsSync(path)) return undefined
  try {
    const script: unknown = JSON.parse(readFileSync(path, 'utf8'))?.scripts?.test
    return typeof script === 'string' ? script : undefined
  } catch {
    // A broken package.json is a project without a test command: the project's own checks will say so.
    return undefined
  }
}

/** A shell command in `cwd`, with node on its PATH; both streams in one text, at most 100,000 characters. */
export function runCommand(
  command: string,
  cwd: string,
  printer: DemoPrinter,
): Promise<{ ok: boolean; output: string }> {
  const withNode = `PATH="$PATH${delimiter}${dirname(process.execPath)}"; ${command}`
  const id = `run-${process.hrtime.bigint()}`
  return new Promise((resolve, reject) => {
    void printer.print({ type: 'tool_start', id, name: 'shell', input: command })
    const child = spawn('/bin/sh', ['-c', withNode], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const collect = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-100_000)
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.once('error', reject)
    child.once('close', (code) => {
      const ok = code === 0
      void printer.print({ type: 'tool_end', id, ok, output: output.slice(-4000) })
      resolve({ ok, output: output.trim() })
    })
  })
}

async function commit(request: DemoRequest, cwd: string, printer: DemoPrinter): Promise<void> {
  const message = (request.task?.title ?? request.goalTitle).replace(/'/g, '')
  const identity = "-c user.name='Demo agent' -c user.email=demo@localhost"
  await runCommand(`git add -A && git ${identity} commit -q -m '${message}'`, cwd, printer)
}
