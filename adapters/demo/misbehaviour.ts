import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type DemoPrinter, pause } from './output.ts'
import type { Behaviour, DemoRequest } from './request.ts'
import { runCommand } from './work.ts'

export interface Stage {
  request: DemoRequest
  printer: DemoPrinter
  cwd: string
  /** True the first time this session works on this stage and attempt. */
  firstStart: boolean
  /** Seconds that an earlier start already streamed, and where to note more. */
  streamed: number
  noteStreamed(seconds: number): void
}

/** Ends the process the way the script asks for. `undefined` means: exit without a result. */
export type Ending = { exit: number } | { kill: true } | undefined

/** Plays one scripted behaviour; a returned ending ends the run there and then. */
export async function misbehave({ name, argument }: Behaviour, stage: Stage): Promise<Ending> {
  const { printer, cwd, firstStart } = stage
  switch (name) {
    case 'slow':
      return talkFor(number(argument, 10), stage)
    case 'silent':
      await pause(number(argument, 10) * 1000)
      return undefined
    case 'fail':
      return fail()
    case 'fail-once':
      return firstStart ? fail() : undefined
    case 'crash-once':
      return firstStart ? { kill: true } : undefined
    case 'no-result':
      return { exit: 0 }
    case 'hang':
      return hang()
    case 'loop':
      for (;;) await runCommand('ls', cwd, printer)
    case 'flood':
      return flood(number(argument, 10), printer)
    case 'longline':
      return longLine(number(argument, 2), printer)
    case 'garbage':
      await printer.raw(
        'Warning: this is not JSON\n{"type":"delta","text":"half a li\n\u0000\u0001\n[1,2]\nnull\n',
      )
      await printer.raw(Buffer.from([0xc3, 0x28, 0xff, 0xfe, 0x0a]))
      return undefined
    case 'leave-child':
      return leaveChild(cwd)
    case 'secret':
      return tellSecret(printer, cwd)
    case 'env':
      await printer.say((await runCommand('/usr/bin/env', cwd, printer)).output, 0)
      return undefined
    case 'tokens':
      await printer.spend({ output: number(argument, 1000) })
      return undefined
    case 'auth':
      return report(printer, 'auth', 'Not logged in: run "demo login".')
    case 'rate-limit':
      // the limit is over when the session is resumed
      return firstStart
        ? report(printer, 'rate_limit', 'Too many requests.', limited(argument, 60))
        : undefined
    case 'quota':
      return report(printer, 'quota', 'The limit of this plan is reached.', limited(argument, 3600))
    case 'overloaded':
      return overloaded(printer)
    default:
      return undefined
  }
}

/** Seconds until a limit is over; `unnamed` tells none. */
const limited = (argument: string, otherwise: number) =>
  argument === 'unnamed' ? undefined : number(argument, otherwise)

const number = (argument: string, otherwise: number) =>
  argument !== '' && Number.isFinite(Number(argument)) ? Number(argument) : otherwise

function fail(): Ending {
  process.stderr.write('demo-agent: the script asks for a failure\n')
  return { exit: 1 }
}

async function report(
  printer: DemoPrinter,
  reason: 'auth' | 'rate_limit' | 'quota',
  detail: string,
  seconds?: number,
): Promise<Ending> {
  const until = seconds === undefined ? undefined : new Date(Date.now() + seconds * 1000)
  const when = until ? { until: until.toISOString() } : {}
  await printer.print({ type: 'error', reason, detail, ...when })
  return { exit: 1 }
}

async function overloaded(printer: DemoPrinter): Promise<Ending> {
  const detail = 'The model is overloaded.'
  for (const attempt of [1, 2])
    await printer.print({ type: 'retry', attempt, reason: 'overloaded', delay_ms: 50, detail })
  await printer.print({ type: 'error', reason: 'overloaded', detail })
  return { exit: 1 }
}

const WORDS = 'reading the code, weighing two ways, checking an edge case, writing it down, '

async function talkFor(seconds: number, stage: Stage): Promise<Ending> {
  if (stage.streamed > 0)
    await stage.printer.say(`Going on after ${stage.streamed.toFixed(1)} s. `, 0)
  const before = stage.streamed
  const start = performance.now()
  for (let spent = before; spent < seconds; spent = before + elapsed(start)) {
    await stage.printer.say(WORDS, 40)
    await stage.printer.spend({})
    stage.noteStreamed(Math.min(seconds, before + elapsed(start)))
  }
  return undefined
}

const elapsed = (start: number) => (performance.now() - start) / 1000

function hang(): Promise<never> {
  setInterval(() => undefined, 1 << 30)
  return new Promise(() => undefined)
}

async function flood(megabytes: number, printer: DemoPrinter): Promise<Ending> {
  const text = `${'All work and no play. '.repeat(180)}\n`
  const line = `${JSON.stringify({ type: 'delta', text })}\n`
  for (let left = megabytes * 1024 * 1024; left > 0; left -= line.length) await printer.raw(line)
  return undefined
}

async function longLine(megabytes: number, printer: DemoPrinter): Promise<Ending> {
  await printer.raw('{"type":"delta","text":"')
  const piece = 'x'.repeat(64 * 1024)
  for (let left = megabytes * 16; left > 0; left -= 1) await printer.raw(piece)
  await printer.raw('"}\n')
  return undefined
}

/** In a session of its own and with our stdout in its hands: a group kill misses it, and the pipe stays open. */
async function leaveChild(cwd: string): Promise<Ending> {
  const child = spawn('/bin/sh', ['-c', 'exec sleep 600'], {
    cwd,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  await once(child, 'spawn')
  child.unref()
  return undefined
}

async function tellSecret(printer: DemoPrinter, cwd: string): Promise<Ending> {
  const { output } = await runCommand('printf %s "$DEMO_API_KEY"', cwd, printer)
  const secrets = [output, `sk-ant-api03-${'a1B2c3D4'.repeat(6)}`]
  for (const secret of secrets.filter((text) => text !== '')) {
    const middle = Math.floor(secret.length / 2)
    await printer.print({ type: 'delta', text: `The key is ${secret.slice(0, middle)}` })
    await pause(60)
    await printer.print({ type: 'delta', text: `${secret.slice(middle)} and more. ` })
  }
  return undefined
}
