import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { isAbsolute } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import type { Sandbox } from '../contracts/agent.ts'
import { createEventQueue } from './event-queue.ts'
import { isProgram } from './find-program.ts'
import { createLineSplitter, type Line } from './line-splitter.ts'
import {
  killProcesses,
  killUntilGone,
  type ProcessInfo,
  processesOf,
  RUN_ID_VARIABLE,
  readProcess,
  signal,
} from './process-tree.ts'
import { commandInside, inSandbox } from './sandbox/in-sandbox.ts'

export interface CliOptions {
  command: string
  args: readonly string[]
  cwd: string
  /** The whole environment; nothing is inherited. */
  env: Readonly<Record<string, string>>
  /** Where it is shut in; then the processes are found from outside as before. */
  sandbox?: Sandbox | undefined
  /** Longest line that is kept; the rest of a longer one is dropped. Default 1 MiB. */
  maxLineBytes?: number
}

export type CliLine = Line & { from: 'stdout' | 'stderr' }

export interface CliExit {
  code: number | null
  signal: NodeJS.Signals | null
  /** Set when it could not be started at all. */
  error?: Error
}

export interface CliProcess {
  /** Lines of both streams as they come, for one reader; ends after the process and everything it left behind is gone. */
  lines: AsyncIterable<CliLine>
  /** Settles when the process itself has ended. */
  exited: Promise<CliExit>
  /** One line to stdin; false when its stdin is closed. */
  write(line: string): boolean
  closeInput(): void
  /** SIGINT, `graceMs` to obey, then SIGKILL for the whole tree. */
  interrupt(graceMs: number): void
  /** SIGKILL for the whole tree, now. */
  kill(): void
}

export const AGENT_UMASK = 0o022
/** Text that may wait for the reader before the pipes are left to fill up. */
const MAX_WAITING_CHARS = 1024 * 1024

/**
 * Starts a CLI in a session and process group of its own, with bounded lines and backpressure to its pipes. When it ends, whatever
 * it left behind is killed: some tools start children in sessions of their own, which hold the pipes open and survive a group kill.
 */
export function spawnCli(options: CliOptions): CliProcess {
  const { child, close } = startChild(options)
  const queue = createEventQueue<CliLine>({
    highWater: MAX_WAITING_CHARS,
    weigh: (line) => line.text.length + 1,
  })
  let settle: (result: CliExit) => void = () => undefined
  const exited = new Promise<CliExit>((resolve) => {
    settle = resolve
  })
  const tag = options.env[RUN_ID_VARIABLE]
  let seen: ProcessInfo[] = []
  let ended = false
  let graceTimer: NodeJS.Timeout | undefined

  const below = () => (child.pid === undefined ? [] : processesOf({ root: child.pid, runId: tag }))
  const tree = () => [...seen.filter(stillRuns), ...below()]
  const finish = (result: CliExit) => {
    if (ended) return
    ended = true
    clearTimeout(graceTimer)
    killUntilGone(tree)
    close()
    settle(result)
  }
  child.once('exit', (code, signalName) => finish({ code, signal: signalName }))
  child.once('error', (error) => {
    if (child.pid === undefined) finish({ code: null, signal: null, error })
  })
  // Writing to an agent that has just ended is no failure of ours: `write` says false from then on.
  child.stdin.on('error', () => child.stdin.destroy())

  const readers = [
    readLines(child.stdout, options.maxLineBytes, (line) =>
      queue.push({ ...line, from: 'stdout' }),
    ),
    readLines(child.stderr, undefined, (line) => queue.push({ ...line, from: 'stderr' })),
  ]
  void Promise.all([...readers, exited]).then(() => queue.end())

  return {
    lines: queue.items,
    exited,
    write: (line) => {
      if (ended || !child.stdin.writable) return false
      child.stdin.write(`${line}\n`)
      return true
    },
    closeInput: () => void child.stdin.end(),
    interrupt(graceMs) {
      if (ended || child.pid === undefined) return
      // Before the signal: afterwards orphans no longer show whose children they were.
      seen = below()
      const agent = options.sandbox ? commandInside(child.pid) : child.pid
      if (agent !== undefined) signal(agent, 'SIGINT')
      graceTimer ??= setTimeout(() => killUntilGone(tree), graceMs)
    },
    kill() {
      if (ended) return
      seen = below()
      killProcesses(seen)
      killUntilGone(tree)
    },
  }
}

interface Started {
  child: ChildProcessByStdio<Writable, Readable, Readable>
  close(): void
}

function startChild(options: CliOptions): Started {
  const { sandbox } = options
  const { command, args, env, close } = sandbox
    ? inSandbox(options, sandbox)
    : { ...options, ...endingWithUs(options), close: () => undefined }
  // The runner's own files are private (077), the agent's are a project's files.
  const ours = process.umask(AGENT_UMASK)
  try {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    return { child, close }
  } finally {
    process.umask(ours)
  }
}

/** Of util-linux; before 2.33 it could not do this. */
const ENDING_WITH_US = ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--'] as const

/**
 * The command as one that the kernel ends when we are killed: nobody hears then what it uses, and some work on to the end of their turn
 * (seen: Claude Code). A sandbox of ours does the same. What cannot be started is left to say so by itself.
 */
function endingWithUs({ command, args }: CliOptions): Pick<CliOptions, 'command' | 'args'> {
  const [setpriv, ...options] = ENDING_WITH_US
  if (!isAbsolute(command) || !isProgram(command)) return { command, args }
  const { status } = spawnSync(setpriv, [...options, '/bin/true'], { stdio: 'ignore' })
  return status === 0
    ? { command: setpriv, args: [...options, command, ...args] }
    : { command, args }
}

const stillRuns = (found: ProcessInfo) => readProcess(found.pid)?.startTime === found.startTime

async function readLines(
  stream: Readable,
  maxLineBytes: number | undefined,
  push: (line: Line) => Promise<void>,
): Promise<void> {
  const splitter = createLineSplitter(maxLineBytes)
  try {
    for await (const chunk of stream) for (const line of splitter.push(chunk)) await push(line)
  } catch (error) {
    await push({ text: `reading the agent's output failed: ${String(error)}`, dropped: 0 })
  }
  for (const line of splitter.flush()) await push(line)
}
