import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, watch } from 'node:fs'
import { join } from 'node:path'
import { createHome, distDir, type HomePaths } from '../../config/home.ts'
import { freePort } from '../../config/ports.ts'
import { commandLine, endProcess, processStart } from '../../config/process-table.ts'
import { endLeftServers } from '../supervisor/leftovers.ts'
import { readServerFile, type ServerFile } from '../supervisor/server-file.ts'

const STOP_MS = 30_000

/** `dispatch start` on a home of its own, as anybody would run it. */
export interface DemoServer {
  url: string
  /** What runs now, by name. */
  processes(): ServerFile['processes']
  temporalUi: string | null
  /** Lets it run on when this process ends. */
  leave(): void
}

/**
 * Starts the server and waits until it serves. Throws with its last words when it does not start, and when `signal`
 * aborts; `endDemoServer` must be called in any case.
 */
export async function startDemoServer(options: {
  home: string
  env: Record<string, string | undefined>
  signal: AbortSignal
  onProcess(child: ChildProcess): void
  /** What the server says while it starts. */
  onLine(line: string): void
}): Promise<DemoServer> {
  const home = createHome(options.home)
  const [port, temporalPort] = [await freePort(4400), await freePort(7233)]
  const ports = ['--port', String(port), '--temporal-port', String(temporalPort)]
  const outFile = join(home.logs, 'start.out')
  const out = openSync(outFile, 'a', 0o600)
  const child = spawn(
    process.execPath,
    [join(distDir(), 'cli.js'), 'start', '--home', home.root, ...ports],
    // its own group: Ctrl-C reaches the demo alone, which then ends it in order
    { detached: true, stdio: ['ignore', out, out], env: options.env },
  )
  closeSync(out)
  options.onProcess(child)
  const server = await serving(child, { ...options, home, outFile })
  return {
    url: server.url,
    temporalUi: server.temporalUi,
    processes: () => readServerFile(home.serverFile)?.processes ?? {},
    leave: () => child.unref(),
  }
}

/** Resolves when `server.json` is there, which is written last. */
function serving(
  child: ChildProcess,
  { home, outFile, signal, onLine }: ServingOptions,
): Promise<ServerFile> {
  return new Promise((resolve, reject) => {
    let told = 1 // the first line only greets
    const settle = (work: () => void) => {
      for (const watcher of watchers) watcher.close()
      child.off('exit', onExit)
      signal.removeEventListener('abort', onAbort)
      work()
    }
    // what went wrong is told once, by the error
    const progress = (line: string) => line.endsWith('...') && onLine(line)
    const look = () => {
      const lines = readFileSync(outFile, 'utf8').split('\n').slice(0, -1)
      const server = readServerFile(home.serverFile)
      if (!server) for (; told < lines.length; told += 1) progress(lines[told] ?? '')
      else settle(() => resolve(server))
    }
    const onExit = () =>
      settle(() => reject(new Error(`Dispatch did not start:\n${readFileSync(outFile, 'utf8')}`)))
    const onAbort = () => settle(() => reject(new Error('interrupted')))
    const watchers = [watch(home.root, look), watch(home.logs, look)]
    child.once('exit', onExit)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
    else look()
  })
}

interface ServingOptions {
  home: HomePaths
  outFile: string
  signal: AbortSignal
  onLine(line: string): void
}

/** Ends the server, then what it left: runs go on without it by design, and so does what a killed supervisor started. */
export async function endDemoServer(home: HomePaths, child: ChildProcess | undefined) {
  if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit')
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    child.kill('SIGTERM')
    await ended
    clearTimeout(timer)
  }
  await endLeftServers(home)
  await endRuns(home)
}

/** Runners end their agent and everything it started when they are asked to end. */
async function endRuns(home: HomePaths) {
  const runs = existsSync(home.runs) ? readdirSync(home.runs) : []
  const runners = runs.map((run) => runnerOf(home, run)).filter((runner) => runner !== undefined)
  await Promise.all(runners.filter(isRunning).map(({ pid }) => endProcess(pid, STOP_MS)))
}

export interface Runner {
  pid: number
  startTime: string
}

/** The process that hosts an agent run, undefined when there was none yet. */
export function runnerOf(home: HomePaths, runId: string): Runner | undefined {
  const file = join(home.runs, runId, 'runner.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

/** A pid may belong to somebody else by now. */
const isRunning = ({ pid, startTime }: Runner) =>
  commandLine(pid)?.includes('runner') === true && processStart(pid) === startTime
