import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import {
  descendantsOf,
  killUntilGone,
  ownerTag,
  type ProcessInfo,
  RUN_DIR_VARIABLE,
  RUN_ID_VARIABLE,
  RUN_OWNER_VARIABLE,
  readProcess,
  taggedProcesses,
} from '../adapters/process-tree.ts'
import { inSandbox } from '../adapters/sandbox/in-sandbox.ts'
import type { Sandbox } from '../contracts/agent.ts'
import { createRedactor } from '../runner/redact.ts'

export interface CheckProcessOptions {
  command: string
  cwd: string
  env: Readonly<Record<string, string>>
  /** DISPATCH_HOME; a sweep of the same home ends what a killed worker left behind. */
  home: string
  signal: AbortSignal
  seconds: number
  /** Where it is shut in. */
  sandbox?: Sandbox | undefined
}

export interface CheckProcessEnd {
  /** Null when it was ended by a signal or took too long. */
  exitCode: number | null
  tookTooLong: boolean
  /** The last of both streams, at most 20,000 characters, without what looks like a secret; then what could not be ended. */
  output: string
}

const OUTPUT_CHARS = 20_000
/** For what was written just before the end; longer holds only a process that got away. */
const DRAIN_MS = 2_000

/**
 * Runs a shell command to its end or its deadline, whichever is first, and leaves nothing of it behind: children in
 * sessions of their own are killed too. Throws the signal's reason when that is aborted.
 */
export async function runCheckProcess(options: CheckProcessOptions): Promise<CheckProcessEnd> {
  const { cwd, home, signal, seconds } = options
  signal.throwIfAborted()
  const runId = randomUUID()
  const tags = {
    [RUN_ID_VARIABLE]: runId,
    [RUN_DIR_VARIABLE]: join(home, 'runs', runId),
    [RUN_OWNER_VARIABLE]: ownerTag(process.pid),
  }
  const { args, env, close, ...shell } = shellFor({ ...options, env: { ...options.env, ...tags } })
  const child = execa(shell.command, args, {
    ...{ cwd, env, extendEnv: false, stdin: 'ignore', all: true },
    ...{ reject: false, detached: true, buffer: false },
  })
  let output = ''
  let foreigners = ''
  // tests print what they read: a .env file, an address with a password in it
  const redacted = createRedactor(env).stream()
  child.all.setEncoding('utf8').on('data', (text: string) => {
    output = (output + redacted.push(text)).slice(-OUTPUT_CHARS)
  })
  const running = () => child.exitCode === null && child.signalCode === null
  const kill = () => {
    const { foreign } = killUntilGone(() => [
      ...(running() ? treeOf(child.pid) : []),
      ...taggedProcesses().filter((found) => found.runId === runId),
    ])
    if (foreign.size > 0)
      foreigners = `\nProcesses of another user were left running: ${[...foreign].join(', ')}.\n`
  }

  let late = false
  let abort: () => void = () => undefined
  const timers: NodeJS.Timeout[] = []
  const over = new Promise<void>((resolve) => {
    const endSoon = () => {
      kill()
      timers.push(setTimeout(resolve, DRAIN_MS))
    }
    child.once('exit', endSoon)
    abort = endSoon
    signal.addEventListener('abort', abort, { once: true })
    timers.push(
      setTimeout(() => {
        late = running()
        endSoon()
      }, seconds * 1000),
    )
    void child.then((result) => {
      // a command that could not be started at all has no `exit`
      if (result.failed && child.pid === undefined) output = result.shortMessage ?? output
      resolve()
    })
  })
  try {
    await over
    signal.throwIfAborted()
    output = (output + redacted.flush()).slice(-OUTPUT_CHARS) + foreigners
    return { exitCode: late ? null : child.exitCode, tookTooLong: late, output }
  } finally {
    for (const timer of timers) clearTimeout(timer)
    signal.removeEventListener('abort', abort)
    for (const stream of [child.all, child.stdout, child.stderr]) stream.destroy()
    close()
  }
}

/** The shell that runs the command; in a sandbox it gets a temp folder of its own, named so that `doctor --repair` removes one that is left. */
function shellFor({ command, cwd, env, home, sandbox }: CheckProcessOptions) {
  const given = { command: '/bin/sh', args: ['-c', command], cwd, env }
  if (!sandbox) return { ...given, close: () => undefined }
  const tmp = mkdtempSync(join(home, 'runs', '.new-check-'))
  const inside = inSandbox({ ...given, env: { ...env, TMPDIR: tmp } }, sandbox)
  const close = () => {
    inside.close()
    rmSync(tmp, { recursive: true, force: true })
  }
  return { ...inside, close }
}

/** The process and all below it; killed children that were not reaped yet are no longer in it. */
function treeOf(pid: number | undefined): ProcessInfo[] {
  if (pid === undefined) return []
  const root = readProcess(pid)
  return root ? [root, ...descendantsOf(pid)] : []
}
