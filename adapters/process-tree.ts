import { readdirSync, readFileSync } from 'node:fs'
import { isErrno } from './is-errno.ts'

/**
 * Processes as /proc shows them (Linux, `man 5 proc_pid_stat`). A pid alone proves nothing, because pids are reused:
 * everything here compares pid and start time before it kills.
 */
export interface ProcessInfo {
  pid: number
  parent: number
  session: number
  /** Clock ticks after boot (field 22). */
  startTime: string
  /** CPU of the process and its reaped children, in clock ticks (10 ms). */
  cpu: number
}

const MAX_KILL_ROUNDS = 50

/** In the environment of everything a run starts. */
export const RUN_ID_VARIABLE = 'DISPATCH_RUN_ID'
/** The run's directory, so that one home never sweeps another home's runs. */
export const RUN_DIR_VARIABLE = 'DISPATCH_RUN_DIR'
/** The process that ends this run itself; a sweep leaves the run alone while that one lives. Agents' runs have none. */
export const RUN_OWNER_VARIABLE = 'DISPATCH_RUN_OWNER'

/** Names a process so that one with the same pid is not taken for it. */
export const ownerTag = (pid: number) => `${pid}:${readProcess(pid)?.startTime ?? ''}`

/** Undefined when there is no such process, or when it is a zombie (dead, not yet reaped by its parent). */
export function readProcess(pid: number): ProcessInfo | undefined {
  const stat = readProc(pid, 'stat')
  if (stat === undefined) return undefined
  // The second field, the command, may hold spaces and brackets: split after its last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined
  const number = (index: number) => Number(fields[index - 3])
  return {
    pid,
    parent: number(4),
    session: number(6),
    startTime: fields[22 - 3] ?? '',
    cpu: number(14) + number(15) + number(16) + number(17),
  }
}

/** True while exactly this process lives. */
export function isAlive(process: { pid: number; startTime: string }): boolean {
  return readProcess(process.pid)?.startTime === process.startTime
}

/** Every process that can be seen, zombies left out. */
export function listProcesses(): ProcessInfo[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((found) => found !== undefined)
}

/** All below `root`, itself left out: children, their children, and whoever shares a session that `root` leads. */
export function descendantsOf(root: number, all = listProcesses()): ProcessInfo[] {
  const inside = new Set([root])
  const found: ProcessInfo[] = []
  for (let grew = true; grew; ) {
    grew = false
    for (const candidate of all) {
      if (inside.has(candidate.pid)) continue
      if (!inside.has(candidate.parent) && !inside.has(candidate.session)) continue
      inside.add(candidate.pid)
      found.push(candidate)
      grew = true
    }
  }
  return found
}

export interface TaggedProcess extends ProcessInfo {
  runId: string
  runDir: string | undefined
  /** True while its owner, where it has one, lives. */
  owned: boolean
}

/** Processes that carry a run's tag, whoever their parent is by now. Only those whose environment we may read. */
export function taggedProcesses(all = listProcesses()): TaggedProcess[] {
  const found: TaggedProcess[] = []
  for (const info of all) {
    const environment = readProc(info.pid, 'environ')
    if (!environment?.includes(RUN_ID_VARIABLE)) continue
    const runId = variableIn(environment, RUN_ID_VARIABLE)
    if (!runId) continue
    const owner = variableIn(environment, RUN_OWNER_VARIABLE)
    const owned = owner !== undefined && ownerTag(Number(owner.split(':')[0])) === owner
    found.push({ ...info, runId, runDir: variableIn(environment, RUN_DIR_VARIABLE), owned })
  }
  return found
}

/**
 * What is left of a run that this process started: `root`, all below it, and whoever left it but carries the tag. Environments are read of those
 * processes only that began no earlier than this one: of all others that takes many times as long, and they are not of its making.
 */
export function processesOf(run: {
  root: number | undefined
  runId: string | undefined
}): ProcessInfo[] {
  const { root, runId } = run
  const all = listProcesses()
  const began = Number(all.find(({ pid }) => pid === process.pid)?.startTime)
  const ours = runId === undefined ? [] : all.filter(({ startTime }) => Number(startTime) >= began)
  return [
    ...all.filter(({ pid }) => pid === root),
    ...(root === undefined ? [] : descendantsOf(root, all)),
    ...taggedProcesses(ours).filter((found) => found.runId === runId),
  ]
}

/** Pids that got a SIGKILL, and of processes that belong to another user (`sudo` in a command), which we cannot end. */
export interface Killed {
  killed: Set<number>
  foreign: Set<number>
}

/** SIGKILL to each that is still the same process; `soFar` collects the pids. */
export function killProcesses(
  processes: readonly ProcessInfo[],
  soFar: Killed = { killed: new Set(), foreign: new Set() },
): Killed {
  for (const target of processes) {
    if (!isAlive(target)) continue
    const answer = signal(target.pid, 'SIGKILL')
    if (answer === 'sent') soFar.killed.add(target.pid)
    if (answer === 'foreign') soFar.foreign.add(target.pid)
  }
  return soFar
}

/** Finds and kills again until nothing turns up that can be killed, because a tree may fork while it dies. */
export function killUntilGone(find: () => ProcessInfo[]): Killed {
  const { killed, foreign } = killProcesses([])
  for (let round = 0; round < MAX_KILL_ROUNDS; round += 1) {
    const found = find().filter(({ pid }) => !foreign.has(pid))
    if (found.length === 0) break
    killProcesses(found, { killed, foreign })
  }
  return { killed, foreign }
}

/** `foreign`: it belongs to another user. */
export function signal(pid: number, name: NodeJS.Signals): 'sent' | 'gone' | 'foreign' {
  try {
    process.kill(pid, name)
    return 'sent'
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return 'gone'
    if (isErrno(error, 'EPERM')) return 'foreign'
    throw error
  }
}

function variableIn(environment: string, name: string): string | undefined {
  const entry = environment.split('\0').find((line) => line.startsWith(`${name}=`))
  return entry?.slice(name.length + 1)
}

function readProc(pid: number, file: 'stat' | 'environ'): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch (error) {
    // Gone in between, or not ours to read: both mean "not one of this run's processes".
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return undefined
    throw error
  }
}
