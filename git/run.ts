import { existsSync } from 'node:fs'
import { join, sep } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { clearStaleLock } from './locks.ts'
import type { FoundObject } from './object-reader.ts'
import { createObjectReaders } from './object-readers.ts'
import { GitFailure, GitProblem, gone, notWritable } from './problem.ts'
import {
  directProcesses,
  type Ended,
  type GitCommand,
  type GitProcesses,
  STUCK,
  startGit,
} from './processes.ts'

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
  /** With the person's own config of the machine: for `git config` alone, which runs nothing of it. */
  asPerson?: true
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
  /** What a full ref or sha stands for in a repository, peeled as it says; undefined when it is not there. */
  look(gitDir: string, name: string): Promise<FoundObject | undefined>
  /** A commit of a hub of ours, as stored. Throws when it is not there. */
  readCommit(gitDir: string, sha: string): Promise<string>
  /** What is known of a hub's config and alternates may not hold any more. */
  forget(gitDir: string): void
  /** Ends the processes that are kept. */
  close(): void
}
export interface RunnerOptions {
  /** DISPATCH_HOME: only locks inside it may ever be cleared. */
  home: string
  /** PATH on which git is found. */
  path?: string
  /** Where the person's own git config is. */
  personHome: string
  /** Of what is written outside the home, in a person's repository; this process's own when left out. */
  umask?: number
  /** What starts git; this process when left out. */
  processes?: GitProcesses
}

const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin:/usr/local/git/bin'
/** The flags that keep a repository's own config from running anything (tried one by one; facts R08). */
const FLAGS = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.untrackedCache=false',
  // the other part of a split index would be written beside our config, where the person's git does not find it
  'core.splitIndex=false',
  'core.attributesFile=/dev/null',
  'core.excludesFile=/dev/null',
  'protocol.allow=never',
  'submodule.recurse=false',
  'commit.gpgsign=false',
  'gc.auto=0',
  'maintenance.auto=false',
  // by itself git waits for packs only: a machine that goes down leaves empty refs, and objects that nobody can make again
  'core.fsync=committed',
  'core.fsyncMethod=batch',
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

function environment(call: GitCall, path: string, personHome: string): Record<string, string> {
  const date =
    call.date === undefined
      ? {}
      : { GIT_AUTHOR_DATE: `@${call.date} +0000`, GIT_COMMITTER_DATE: `@${call.date} +0000` }
  return {
    PATH: path,
    ...(call.asPerson
      ? { HOME: personHome }
      : { HOME: '/nonexistent', GIT_CONFIG_GLOBAL: '/dev/null' }),
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
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
  return notWritable(stderr) ?? new GitFailure(args, code, stderr)
}

/** A full disk or a held lock is never an answer, whatever exit codes the caller expects. */
const isAnswer = (call: GitCall, code: number, stderr: string) =>
  (call.answers ?? [0]).includes(code) &&
  (code === 0 || !(LOCKED.test(stderr) || DISK_FULL.test(stderr)))

/** What kept git from running at all, or from ending. */
function throwUnanswered({ error }: Ended, { cwd }: GitCommand): void {
  // the same error as of a program that is not there
  if (error?.code === 'ENOENT' && !existsSync(cwd)) throw gone(cwd)
  if (error?.code === 'ENOENT')
    throw new GitProblem(
      'git_missing',
      'git was not found.',
      'Install git 2.38 or newer, and make sure it is on the PATH.',
    )
  if (error?.code === STUCK)
    throw new GitProblem(
      'git_stuck',
      `${error.message} and was ended.`,
      'Look at the disk of the repository and of DISPATCH_HOME (a network disk that is gone?), then try again.',
    )
  if (error) throw Object.assign(new Error(error.message), { code: error.code })
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
export function createGitRunner(options: RunnerOptions): GitRunner {
  const { home, path = DEFAULT_PATH, personHome, umask, processes = directProcesses } = options
  const hubs = join(home, 'hubs') + sep
  const writesOutside = ({ gitDir, objectDir, workTree }: GitCall) =>
    [gitDir, objectDir, workTree].some((at) => at !== undefined && !at.startsWith(home + sep))
  const command = (args: readonly string[], call: GitCall): GitCommand => ({
    args: commandLine(args, call),
    env: environment(call, path, personHome),
    cwd: call.cwd ?? call.workTree ?? call.gitDir ?? '/',
    input: call.input,
    umask: writesOutside(call) ? umask : undefined,
  })
  const readers = createObjectReaders((gitDir) =>
    startGit({ ...command(['cat-file', '--batch-command'], { gitDir }), cwd: '/' }),
  )

  async function once(args: readonly string[], call: GitCall): Promise<GitResult> {
    const asked = command(args, call)
    const end = await processes.run(asked)
    throwUnanswered(end, asked)
    const { code, stdout, stderr } = end
    if (code === null || !isAnswer(call, code, stderr)) throw explain(args, code, stderr)
    return { code, stdout, stderr }
  }

  async function run(args: readonly string[], call: GitCall): Promise<GitResult> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(args, call)
      } catch (error) {
        await afterLock(error, attempt, home)
      }
    }
  }

  const look: GitRunner['look'] = async (gitDir, name) => {
    // of a person's repository nothing is kept open
    if (gitDir.startsWith(hubs)) {
      const answer = await readers
        .of(gitDir)
        .look(name)
        .catch((error: Error) => error)
      if (!(answer instanceof Error)) return answer
      // the reader was killed, or could not be started: the process below answers, or says why not
    }
    const { code, stdout } = await run(['rev-parse', '--verify', '-q', '--end-of-options', name], {
      gitDir,
      answers: [0, 1, 128],
    })
    return code === 0 ? { sha: stdout.toString('utf8').trim(), type: '' } : undefined
  }

  return {
    run,
    look,
    async readCommit(gitDir, sha) {
      const content = await readers.of(gitDir).read(`${sha}^{commit}`)
      if (!content) throw new GitFailure(['cat-file', sha], 128, 'there is no such commit')
      return content.toString('utf8')
    },
    forget: (gitDir) => readers.forget(gitDir),
    close() {
      readers.close()
      processes.close()
    },
    async text(args, call) {
      return (await run(args, call)).stdout.toString('utf8').replace(/\n$/, '')
    },
    async succeeds(args, call) {
      return (await run(args, { ...call, answers: [0, 1, 128] })).code === 0
    },
    async stream(args, call, onChunk) {
      const asked = command(args, call)
      const end = await processes.stream(asked, onChunk)
      throwUnanswered(end, asked)
      if (end.code !== 0) throw explain(args, end.code, end.stderr)
    },
    async pipe(from, fromCall, into, intoCall) {
      const asked = { from: command(from, fromCall), into: command(into, intoCall) }
      const ends = await processes.pipe(asked.from, asked.into)
      throwUnanswered(ends.from, asked.from)
      throwUnanswered(ends.into, asked.into)
      // a reader that refuses what it gets ends its writer by a broken pipe, of which the writer says nothing more than that
      const refused = ends.into.code !== 0 && /^$|write error/.test(ends.from.stderr)
      if (ends.from.code !== 0 && !refused) throw explain(from, ends.from.code, ends.from.stderr)
      if (ends.into.code !== 0) throw explain(into, ends.into.code, ends.into.stderr)
    },
  }
}
