import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, getPriority, setPriority } from 'node:os'

/** A third of what a program at the usual priority gets beside it; 10 would be a tenth, and agents would crawl beside a video call. */
const NICENESS = 5
/** How many processes and threads there may be more than when it started. Enough for builds, which take some for each CPU. */
const MORE_TASKS = 2048 + 256 * availableParallelism()

/**
 * No core dumps, which would lie in the worktree and be committed, and a limit of tasks (`-p` in dash, `-u` elsewhere); both softly, so that a
 * project that needs more can say so itself. When memory runs out, the kernel ends these before what the person works with.
 */
const LIMITED = `
ulimit -S -c 0
{ [ -z "$0" ] || ulimit -S -u "$0" || ulimit -S -p "$0"; } 2>/dev/null
{ echo 500 > /proc/self/oom_score_adj; } 2>/dev/null
exec "$@"`

/** Starts a program that gives way to the person with all that it starts in turn. What a system does not know is left out. */
export function spawnGivingWay(
  program: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const child = spawn('/bin/sh', ['-c', LIMITED, mostTasks(), program, ...args], options)
  if (child.pid !== undefined) lower(child.pid)
  return child
}

/** The limit counts all tasks of the user, so it is put above all that the machine has. Empty where that is not known. */
function mostTasks(): string {
  try {
    const [, all = ''] = / \d+\/(\d+) /.exec(readFileSync('/proc/loadavg', 'utf8')) ?? []
    return all && String(Number(all) + MORE_TASKS)
  } catch {
    // no Linux
    return ''
  }
}

/** Before it has threads or children of its own, which get what it has. */
function lower(pid: number): void {
  try {
    // ours may be lower already, and nobody may raise one
    setPriority(pid, Math.max(getPriority(), NICENESS))
  } catch {
    // it has ended: whoever waits for it hears of that
  }
}
