import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** A git command line with everything it depends on; nothing is inherited. */
export interface GitCommand {
  args: readonly string[]
  env: Readonly<Record<string, string>>
  cwd: string
  input?: string | Buffer | undefined
  /** Of the files that it makes; the starting process's own when left out. */
  umask?: number | undefined
}

/** How a process ended. `error`: it could not be started, or did not end in time. */
export interface Ended {
  code: number | null
  stderr: string
  error?: { code: string | undefined; message: string }
}

/** Starts git: in this process, or in one that is small (`createHostedProcesses`). */
export interface GitProcesses {
  run(command: GitCommand): Promise<Ended & { stdout: Buffer }>
  /** Feeds stdout to `onChunk` as it comes. */
  stream(command: GitCommand, onChunk: (chunk: Buffer) => void): Promise<Ended>
  /** `from | into`. */
  pipe(from: GitCommand, into: GitCommand): Promise<{ from: Ended; into: Ended }>
  close(): void
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>

const MAX_STDERR = 64_000
/** A git that says nothing for so long hangs (a dead network disk): it holds its repository's queue. Large ones are silent for minutes. */
const SILENT_MS = 10 * 60_000
/** The code of `Ended.error` then. */
export const STUCK = 'ETIMEDOUT'

/** Started with all three streams as pipes. */
export function startGit({ args, env, cwd, umask }: GitCommand): Child {
  const ours = umask === undefined ? undefined : process.umask(umask)
  try {
    return spawn('git', args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] })
  } finally {
    if (ours !== undefined) process.umask(ours)
  }
}

/** Ends processes of one command that say nothing for too long. They are not waited for: one that waits for a disk cannot be killed. */
function whenStuck(children: readonly Child[]): Promise<Ended> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      for (const child of children) {
        child.kill('SIGKILL')
        for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
      }
      const message = `git said nothing for ${SILENT_MS / 60_000} minutes`
      resolve({ code: null, stderr: '', error: { code: STUCK, message } })
    }, SILENT_MS)
    let running = children.length
    for (const child of children) {
      for (const stream of [child.stdout, child.stderr]) stream.on('data', () => timer.refresh())
      const over = () => {
        running -= 1
        if (running === 0) clearTimeout(timer)
      }
      child.once('error', over)
      child.once('close', over)
    }
  })
}

function ended(child: Child): Promise<Ended> {
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < MAX_STDERR) stderr += chunk.toString('utf8')
  })
  return new Promise((resolve) => {
    child.on('error', ({ code, message }: NodeJS.ErrnoException) =>
      resolve({ code: null, stderr, error: { code, message } }),
    )
    // A lazy fetch that we forbid ends git by SIGPIPE; like 128 it means that an object is missing.
    child.on('close', (code, signal) =>
      resolve({ code: code ?? (signal === 'SIGPIPE' ? 128 : null), stderr }),
    )
  })
}

/** git may exit before it has read everything; its exit code tells why, the broken pipe does not. */
function feed(child: Child, input: string | Buffer | undefined): void {
  child.stdin.on('error', () => undefined)
  child.stdin.end(input ?? '')
}

/** As children of this process. */
export const directProcesses: GitProcesses = {
  async run(command) {
    const chunks: Buffer[] = []
    const end = await this.stream(command, (chunk) => chunks.push(chunk))
    return { ...end, stdout: Buffer.concat(chunks) }
  },
  stream(command, onChunk) {
    const child = startGit(command)
    child.stdout.on('data', onChunk)
    const end = Promise.race([ended(child), whenStuck([child])])
    feed(child, command.input)
    return end
  },
  async pipe(from, into) {
    const producer = startGit(from)
    const consumer = startGit(into)
    const stuck = whenStuck([producer, consumer])
    const ends = Promise.all([
      Promise.race([ended(producer), stuck]),
      Promise.race([ended(consumer), stuck]),
    ])
    consumer.stdout.resume()
    feed(producer, from.input)
    // A reader that has all it needs may end before it is told so. Whether it had is in its exit code: git checks what it was sent.
    const piped = pipeline(producer.stdout, consumer.stdin).catch(() => undefined)
    const [[first, second]] = await Promise.all([ends, piped])
    return { from: first, into: second }
  },
  close: () => undefined,
}
