import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { answer, has } from './answers.ts'
import { type Ending, misbehave } from './misbehaviour.ts'
import { createPrinter, type DemoPrinter, pause } from './output.ts'
import { type DemoRequest, isWhole, readRequest } from './request.ts'
import { type DemoSession, loadSession, newSession, saveSession } from './session-file.ts'
import type { DemoInput } from './wire.ts'
import { doTheWork, isLying, missingFunctions, runTests } from './work.ts'

/**
 * The demo agent: a scripted coding agent, run like any other CLI.
 *
 *     demo-agent --home DIR (--session-id ID | --resume ID) [--model NAME]
 *
 * stdin: one JSON line with the prompt, then corrections. stdout: one JSON line per event, the last one `result` or `error`.
 * Exit 0 with a result, 1 without, 130 after SIGINT.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      home: { type: 'string' },
      'session-id': { type: 'string' },
      resume: { type: 'string' },
      model: { type: 'string', default: 'demo-1' },
    },
  })
  const home = values.home
  if (home === undefined) return usage('--home DIR is missing')
  const session = openSession(home, values.resume, values['session-id'])
  if (typeof session === 'string') return usage(session)

  const corrections = createCorrections(session)
  const printer = createPrinter(process.stdout, () => corrections.takeUp())
  corrections.speakThrough(printer)
  const prompt = await corrections.prompt
  if (prompt === undefined) return usage('stdin brought no prompt')
  const request = readRequest(prompt.text, session.prompt)

  session.starts += 1
  if (isWhole(prompt.text)) session.prompt = prompt.text
  saveSession(home, session)
  const { starts, id } = session
  await printer.print({ type: 'init', session_id: id, model: values.model, starts })
  if (!request) return freeText(printer, prompt.text)
  return runStage({ home, session, request, printer, corrections, structured: prompt.structured })
}

interface Run {
  home: string
  session: DemoSession
  request: DemoRequest
  printer: DemoPrinter
  corrections: Corrections
  structured: boolean
}

async function runStage(run: Run): Promise<number> {
  const { home, session, request, printer, corrections } = run
  const cwd = process.cwd()
  const key = `${request.stage}#${request.attempt}#${request.task?.title ?? ''}`
  session.startsOf[key] = (session.startsOf[key] ?? 0) + 1
  saveSession(home, session)
  const firstStart = session.startsOf[key] === 1
  const pace = has(request, 'instant') ? 0 : 25
  if (has(request, 'ignore-signals')) ignoreSignals()
  else stopOnInterrupt()

  for (const directive of request.unknownDirectives)
    await printer.print({ type: 'notice', text: `Unknown directive ${directive}: ignored.` })
  await printer.spend({
    input: Math.ceil(session.prompt.length / 4),
    cacheRead: firstStart ? 0 : 400,
  })
  await printer.say(opening(request, firstStart), pace)
  for (const behaviour of request.behaviours) {
    const ending = await misbehave(behaviour, {
      request,
      printer,
      cwd,
      firstStart,
      streamed: session.streamed[key] ?? 0,
      noteStreamed(seconds) {
        session.streamed[key] = seconds
        saveSession(home, session)
      },
    })
    if (ending) return end(ending)
  }
  await corrections.takeUp()
  const output = await work(run, cwd, pace)
  await corrections.takeUp()
  await printer.spend({})
  await printer.print({ type: 'result', ...result(run, output, firstStart) })
  return 0
}

function result({ request, structured }: Run, output: unknown, firstStart: boolean) {
  const text = `${request.stage} is done.`
  if (!structured) return { text }
  const invalid = has(request, 'invalid') || (has(request, 'invalid-once') && firstStart)
  return { text, output: invalid ? { sumary: 42 } : output }
}

async function work({ request, printer, session }: Run, cwd: string, pace: number) {
  const { stage } = request
  const writes = stage === 'implement' || stage === 'frontend'
  const files = writes
    ? await doTheWork(request, cwd, { printer, corrections: session.corrections })
    : []
  const checks = stage === 'implement' || stage === 'verify' || stage === 'audit'
  const claim = { ran: false, ok: true, output: '' }
  const tests = checks && !isLying(request) ? await runTests(cwd, printer) : claim
  if (isLying(request)) await printer.say('All tests pass, everything is done. ', pace)
  const deviations = session.corrections.map((text) => `Followed the correction: ${text}`)
  return answer(request, { missing: missingFunctions(cwd), files, deviations, tests })
}

const OPENINGS: Readonly<Record<DemoRequest['stage'], string>> = {
  spec: 'I read the project and split the goal into tasks.',
  test_spec: 'I write a test case for each requirement.',
  security_spec: 'I look for what could go wrong on purpose.',
  implement: 'I read the task and the code around it, then I write the change and run the tests.',
  frontend: 'I build the page that the task asks for.',
  verify: 'I run the tests and compare the change with each item of the spec.',
  audit: 'I look at the whole change once more.',
}

function opening({ stage, task, goalTitle }: DemoRequest, firstStart: boolean): string {
  const again = firstStart ? '' : 'I go on where I was. '
  return `${again}${OPENINGS[stage]} (${task?.title ?? goalTitle}) `
}

async function freeText(printer: DemoPrinter, prompt: string): Promise<number> {
  stopOnInterrupt()
  await printer.say('I am the demo agent: I follow scripts and understand nothing. ', 25)
  await printer.spend({ input: Math.ceil(prompt.length / 4) })
  await printer.print({
    type: 'result',
    text: 'I am the demo agent: I follow scripts and understand nothing.',
  })
  return 0
}

function openSession(home: string, resume: string | undefined, fresh: string | undefined) {
  if (resume === undefined && fresh === undefined) return '--session-id or --resume is missing'
  const id = resume ?? fresh ?? ''
  const stored = loadSession(home, id)
  if (stored === 'invalid') return `"${id}" is not a session id`
  if (resume !== undefined) return stored === 'unknown' ? `there is no session ${id}` : stored
  if (stored !== 'unknown') return `session ${id} is already in use: resume it`
  const made = newSession(id)
  return made === 'invalid' ? `"${id}" is not a session id` : made
}

interface Corrections {
  prompt: Promise<{ text: string; structured: boolean } | undefined>
  speakThrough(printer: DemoPrinter): void
  /** Applies what has come since the last call. */
  takeUp(): Promise<void>
}

function createCorrections(session: DemoSession): Corrections {
  let printer: DemoPrinter | undefined
  const waiting: { id: string; text: string }[] = []
  const lines = createInterface({ input: process.stdin })
  const prompt = new Promise<{ text: string; structured: boolean } | undefined>((resolve) => {
    lines.on('line', (line) => {
      const input = JSON.parse(line) as DemoInput
      if (input.type === 'prompt') return resolve(input)
      waiting.push({ id: input.id, text: input.text })
      void printer?.print({ type: 'correction', id: input.id, state: 'delivered' })
    })
    lines.once('close', () => resolve(undefined))
  })
  return {
    prompt,
    speakThrough(voice) {
      printer = voice
    },
    async takeUp() {
      for (const { id, text } of waiting.splice(0)) {
        session.corrections.push(text)
        await printer?.print({ type: 'correction', id, state: 'applied' })
        await printer?.print({ type: 'delta', text: `[I follow the correction: ${text}] ` })
      }
    },
  }
}

function stopOnInterrupt(): void {
  process.once('SIGINT', () => {
    const detail = 'Interrupted by a signal.'
    const line = `${JSON.stringify({ type: 'error', reason: 'interrupted', detail })}\n`
    process.stdout.write(line, () => process.exit(130))
  })
}

function ignoreSignals(): void {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined)
}

async function end(ending: Exclude<Ending, undefined>): Promise<number> {
  if ('exit' in ending) return ending.exit
  process.kill(process.pid, 'SIGKILL')
  await pause(10_000)
  return 1
}

function usage(problem: string): number {
  process.stderr.write(`demo-agent: ${problem}\n`)
  return 1
}

void main().then((code) => {
  // stdout may be a pipe with a slow reader: leave when everything is written.
  process.stdout.write('', () => process.exit(code))
})
