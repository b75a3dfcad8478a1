import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { promisify } from 'node:util'
import { descendantsOf, killProcesses, readProcess } from '../../adapters/process-tree.ts'
import { until } from '../support/until.ts'

const run = promisify(execFile)

export interface ContainerSpec {
  name: string
  command: string[]
  env: Record<string, string>
  cwd: string
  logFile: string
  /** The compose file's own check, translated; without it the container counts as up at once. */
  healthcheck: string[] | undefined
}

/** A plain process that stands for a container: what it started ends with it, as with a control group. */
export interface Container {
  name: string
  pid: number
  exited: Promise<number | null>
  /** Resolves when the health check passes; throws when the process ends before. */
  healthy(): Promise<void>
  /** SIGKILL to it and to everything below it. */
  kill(): Promise<void>
  /** SIGTERM, after the grace SIGKILL, and the end of what it left, as `docker stop` does. */
  stop(): Promise<void>
}

const HEALTHY_MS = 60_000
const GRACE_MS = 30_000

export function startContainer(spec: ContainerSpec): Container {
  const [program = '', ...args] = spec.command
  const out = openSync(spec.logFile, 'a', 0o600)
  const child = spawn(program, args, {
    cwd: spec.cwd,
    env: spec.env,
    detached: true,
    stdio: ['ignore', out, out],
  })
  closeSync(out)
  const exited = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(-1))
    child.once('exit', (code) => resolve(code))
  })
  return {
    name: spec.name,
    pid: child.pid ?? -1,
    exited,
    healthy: () => healthy(spec, child),
    async kill() {
      killTree(child.pid ?? -1)
      await exited
    },
    async stop() {
      const timer = setTimeout(() => killTree(child.pid ?? -1), GRACE_MS)
      const below = descendantsOf(child.pid ?? -1)
      child.kill('SIGTERM')
      await exited
      clearTimeout(timer)
      killProcesses(below)
    },
  }
}

/** SIGKILL to a process and to everything below it, found before the root dies: afterwards its children belong to somebody else. */
export function killTree(pid: number): void {
  const root = readProcess(pid)
  if (!root) return
  const below = descendantsOf(root.pid)
  killProcesses([root, ...below])
}

async function healthy(spec: ContainerSpec, child: ChildProcess): Promise<void> {
  const { healthcheck, env, cwd, name } = spec
  if (!healthcheck) return
  const [program = '', ...args] = healthcheck
  await until(
    async () => {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`${name} ended with ${child.exitCode ?? child.signalCode}: ${spec.logFile}`)
      return run(program, args, { env, cwd, timeout: 5_000 }).then(
        () => true,
        () => false,
      )
    },
    { ms: HEALTHY_MS, what: `${name} to be healthy`, everyMs: 150 },
  )
}
