import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  killUntilGone,
  ownerTag,
  processesOf,
  RUN_DIR_VARIABLE,
  RUN_ID_VARIABLE,
  RUN_OWNER_VARIABLE,
} from '../adapters/process-tree.ts'
import { inSandbox } from '../adapters/sandbox/in-sandbox.ts'
import { afterPatience } from '../contracts/patience.ts'
import { createRedactor } from './redact.ts'
import type { CheckEnd, CheckOrder } from './spawner-messages.ts'

const OUTPUT_CHARS = 20_000
/** For what was written just before the end; longer holds only a process that got away. */
const DRAIN_MS = 2_000

/**
 * Runs a shell command to its end or its deadline, whichever is first, and leaves nothing of it behind: children in
 * sessions of their own are killed too. Throws the signal's reason when that is aborted. A sweep of the same home ends
 * what is left when this process is killed.
 */
export async function runCheckProcess(order: CheckOrder, signal: AbortSignal): Promise<CheckEnd> {
  const { runId, dir, cwd, seconds } = order
  signal.throwIfAborted()
  const tags = {
    [RUN_ID_VARIABLE]: runId,
    [RUN_DIR_VARIABLE]: dir,
    [RUN_OWNER_VARIABLE]: ownerTag(process.pid),
  }
  const { args, env, close, ...shell } = shellFor({ ...order, env: { ...order.env, ...tags } })
  const child = spawn(shell.command, args, {
    ...{ cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  })
  let output = ''
  let foreigners = ''
  // tests print what they read: a .env file, an address with a password in it
  const redacted = createRedactor(env).stream()
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + redacted.push(text)).slice(-OUTPUT_CHARS)
    })
  const running = () => child.exitCode === null && child.signalCode === null
  const kill = () => {
    const { foreign } = killUntilGone(() =>
      processesOf({ root: running() ? child.pid : undefined, runId }),
    )
    if (foreign.size > 0)
      foreigners = `\nProcesses of another user were left running: ${[...foreign].join(', ')}.\n`
  }

  let late = false
  let abort: () => void = () => undefined
  let stopWaiting: () => void = () => undefined
  let drained: NodeJS.Timeout | undefined
  const over = new Promise<void>((resolve) => {
    const endSoon = () => {
      kill()
      drained ??= setTimeout(resolve, DRAIN_MS)
    }
    child.once('exit', endSoon)
    abort = endSoon
    signal.addEventListener('abort', abort, { once: true })
    stopWaiting = afterPatience(seconds, () => {
      late = running()
      endSoon()
    })
    child.once('close', () => resolve())
    // a command that could not be started at all
    child.once('error', (error) => {
      output = `${error.message} in ${cwd}`
      resolve()
    })
  })
  try {
    await over
    signal.throwIfAborted()
    output = (output + redacted.flush()).slice(-OUTPUT_CHARS) + foreigners
    const started = child.pid !== undefined
    return { exitCode: started && !late ? child.exitCode : null, tookTooLong: late, output }
  } finally {
    stopWaiting()
    clearTimeout(drained)
    signal.removeEventListener('abort', abort)
    for (const stream of [child.stdout, child.stderr]) stream.destroy()
    close()
  }
}

/** The shell that runs the command; in a sandbox it gets a temp folder of its own, named so that `doctor --repair` removes one that is left. */
function shellFor({ dir, command, cwd, env, sandbox }: CheckOrder) {
  const given = { command: '/bin/sh', args: ['-c', command], cwd, env }
  if (!sandbox) return { ...given, close: () => undefined }
  const tmp = mkdtempSync(join(dirname(dir), '.new-check-'))
  const inside = inSandbox({ ...given, env: { ...env, TMPDIR: tmp } }, sandbox)
  const close = () => {
    inside.close()
    rmSync(tmp, { recursive: true, force: true })
  }
  return { ...inside, close }
}
