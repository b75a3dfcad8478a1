import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { clearStaleLock } from './locks.ts'
import { GitFailure, GitProblem } from './problem.ts'

/** Where one git call runs. Nothing is taken from the surrounding process: no GIT_*, no global or system config. */
export interface GitCall {
  /** Explicit repository; without it git discovers one from `cwd` (and checks who owns it). */
  gitDir?: string
  cwd?: string
  workTree?: string
  indexFile?: string
  /** New objects go here, and its alternates are followed. */
  objectDir?: string
  /** Object directories that may be read besides. */
  alternates?: readonly string[]
  /** Extra `-c key=value` settings; ours only, never a person's text. */
  settings?: Readonly<Record<string, string>>
  input?: string | Buffer
  /** Unix seconds for author and committer; default now. */
  date?: number
  /** Exit codes that are answers rather than failures. Default: 0 only. */
  answers?: readonly number[]
}
export interface GitResult {
  code: number
  stdout: Buffer
  stderr: string
}
export interface GitRunner {
  /** Runs git and collects its output. A held `*.lock` is waited for, with a bound. */
  run(args: readonly string[], call: GitCall): Promise<GitResult>
  /** stdout as text without the final newline. */
  text(args: readonly string[], call: GitCall): Promise<string>
  /** Whether git exits with 0; 1 (and 128 for a missing object) is "no". */
  succeeds(args: readonly string[], call: GitCall): Promise<boolean>
  /** Feeds stdout to `onChunk` as it comes. */
  stream(args: readonly string[], call: GitCall, onChunk: (chunk: Buffer) => void): Promise<void>
  /** `from | into`, both git. */
  pipe(
    from: readonly string[],
    fromCall: GitCall,
    into: readonly string[],
    intoCall: GitCall,
  ): Promise<void>
}
export interface RunnerOptions {
  /** DISPATCH_HOME: only locks inside it may ever be cleared. */
  home: string
  /** PATH on which git is found. */
  path?: string
}

const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin:/usr/local/git/bin'
/** The flags that keep a repository's own config from running anything (tried one by one; facts R08). */
const FLAGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.untrackedCache=false',
  'core.attributesFile=/dev/null',
  'core.excludesFile=/dev/null',
  'protocol.allow=never',
  'submodule.recurse=false',
  'commit.gpgsign=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'core.quotePath=true',
  'safe.bareRepository=explicit',
].flatMap((setting) => ['-c', setting])
const LOCKED = /Unable to create '(.+\.lock)': File exists/
const DISK_FULL = /No space left on device|Disk quota exceeded/
const LOCK_TRIES = 12

function commandLine(args: readonly string[], call: GitCall): string[] {
  const settings = Object.entries(call.settings ?? {}).flatMap(([k, v]) => ['-c', `${k}=${v}`])
  const gitDir = call.gitDir === undefined ? [] : [`--git-dir=${call.gitDir}`]
  const workTree = call.workTree === undefined ? [] : [`--work-tree=${call.workTree}`]
  return [...FLAGS, ...settings, ...gitDir, ...workTree, ...args]
}

/** A path in the quoted form git reads back unchanged, whatever bytes are in it. */
export function quotePath(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}

function environment(call: GitCall, path: string): Record<string, string> {
  const date =
    call.date === undefined
      ? {}
      : { GIT_AUTHOR_DATE: `@${call.date} +0000`, GIT_COMMITTER_DATE: `@${call.date} +0000` }
  return {
    PATH: path,
    HOME: '/nonexistent',
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_LITERAL_PATHSPECS: '1',
    // Objects travel by pack files through pipes, so no transport is ever needed: not even a lazy fetch may run one.
    GIT_ALLOW_PROTOCOL: 'none',
    GIT_AUTHOR_NAME: 'Dispatch',
    GIT_AUTHOR_EMAIL: 'dispatch@localhost',
    GIT_COMMITTER_NAME: 'Dispatch',
    GIT_COMMITTER_EMAIL: 'dispatch@localhost',
    ...date,
    ...(call.indexFile === undefined ? {} : { GIT_INDEX_FILE: call.indexFile }),
    ...(call.objectDir === undefined ? {} : { GIT_OBJECT_DIRECTORY: call.objectDir }),
    ...(call.alternates === undefined
      ? {}
      : { GIT_ALTERNATE_OBJECT_DIRECTORIES: call.alternates.map(quotePath).join(':') }),
  }
}

/** Turns the failures a person can act on into problems; the rest stays a failure. */
function explain(args: readonly string[], code: number | null, stderr: string): Error {
  if (DISK_FULL.test(stderr))
    return new GitProblem(
      'disk_full',
      'The disk is full.',
      'Free some space and try again; nothing was lost.',
    )
  if (/dubious ownership/.test(stderr))
    return new GitProblem(
      'dubious_ownership',
      'The repository belongs to another user.',
      'Run Dispatch as its owner, or change the owner with chown.',
    )
  const lock = LOCKED.exec(stderr)
  if (lock?.[1])
    return new GitProblem(
      'index_locked',
      `Another git process holds ${lock[1]}.`,
      'Let it finish; if none is running, delete that file and try again.',
    )
  return new GitFailure(args, code, stderr)
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>

function ended(child: Child): Promise<{ code: number | null; stderr: string }> {
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < 64_000) stderr += chunk.toString('utf8')
  })
  return new Promise((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'ENOENT'
          ? new GitProblem(
              'git_missing',
              'git was not found.',
              'Install git 2.38 or newer, and make sure it is on the PATH.',
            )
          : error,
      ),
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

type Start = (args: readonly string[], call: GitCall) => Child

/** A full disk or a held lock is never an answer, whatever exit codes the caller expects. */
const isAnswer = (call: GitCall, code: number, stderr: string) =>
  (call.answers ?? [0]).includes(code) &&
  (code === 0 || !(LOCKED.test(stderr) || DISK_FULL.test(stderr)))

async function once(start: Start, args: readonly string[], call: GitCall): Promise<GitResult> {
  const child = start(args, call)
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  const end = ended(child)
  feed(child, call.input)
  const { code, stderr } = await end
  if (code === null || !isAnswer(call, code, stderr)) throw explain(args, code, stderr)
  return { code, stdout: Buffer.concat(chunks), stderr }
}

/** Waits for a lock that somebody holds, up to about two seconds; clears it when it is ours and its owner is gone. */
async function afterLock(error: unknown, attempt: number, home: string): Promise<void> {
  const locked = error instanceof GitProblem && error.code === 'index_locked'
  if (!locked || attempt === LOCK_TRIES) throw error
  const lock = /holds (\/.+\.lock)\./.exec(error.message)?.[1]
  if (lock && attempt > 2 && (await clearStaleLock(lock, home))) return
  await delay(20 + Math.random() * 40 * attempt)
}

/** The one place where a git command line and its environment are made. */
export function createRunner({ home, path = DEFAULT_PATH }: RunnerOptions): GitRunner {
  const start: Start = (args, call) =>
    spawn('git', commandLine(args, call), {
      cwd: call.cwd ?? call.workTree ?? call.gitDir ?? '/',
      env: environment(call, path),
      stdio: ['pipe', 'pipe', 'pipe'],
    })

  async function run(args: readonly string[], call: GitCall): Promise<GitResult> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(start, args, call)
      } catch (error) {
        await afterLock(error, attempt, home)
      }
    }
  }

  return {
    run,
    async text(args, call) {
      return (await run(args, call)).stdout.toString('utf8').replace(/\n$/, '')
    },
    async succeeds(args, call) {
      return (await run(args, { ...call, answers: [0, 1, 128] })).code === 0
    },
    async stream(args, call, onChunk) {
      const child = start(args, call)
      child.stdout.on('data', onChunk)
      const end = ended(child)
      feed(child, call.input)
      const { code, stderr } = await end
      if (code !== 0) throw explain(args, code, stderr)
    },
    async pipe(from, fromCall, into, intoCall) {
      const producer = start(from, fromCall)
      const consumer = start(into, intoCall)
      const ends = Promise.all([ended(producer), ended(consumer)])
      consumer.stdout.resume()
      feed(producer, fromCall.input)
      const piping = pipeline(producer.stdout, consumer.stdin)
      const [piped, done] = await Promise.allSettled([piping, ends])
      if (done.status === 'rejected') throw done.reason
      const [first, second] = done.value
      if (first.code !== 0) throw explain(from, first.code, first.stderr)
      if (second.code !== 0) throw explain(into, second.code, second.stderr)
      if (piped.status === 'rejected') throw piped.reason
    },
  }
}
