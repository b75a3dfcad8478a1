import { once } from 'node:events'
import { join } from 'node:path'
import { AGENT_UMASK } from '../adapters/cli-process.ts'
import { killUntilGone, readProcess, taggedProcesses } from '../adapters/process-tree.ts'
import type { RunCommand } from '../contracts/agent.ts'
import { runCheckProcess } from './check-process.ts'
import { createEventLog } from './event-log.ts'
import { type HostedRun, hostRun } from './host-run.ts'
import {
  EVENTS_FILE,
  RUNNER_FILE,
  type RunnerFile,
  readSpec,
  writeExclusively,
} from './run-files.ts'
import { openRunSocket } from './run-socket.ts'
import {
  type Assignment,
  type CheckOrder,
  isCheck,
  type Order,
  type Reply,
  type RunnerReply,
} from './spawner-messages.ts'

/**
 * The runner: a small detached process that hosts one agent run and outlives the worker, or one check, which does not. It is started in
 * advance, waits for its order on the IPC channel, and ends when the channel closes before one came. Exit 0: it ended, whatever its result.
 */
async function host({ dir, runId }: Assignment): Promise<void> {
  process.chdir(dir)
  const self = readProcess(process.pid)
  const claim: RunnerFile = { pid: process.pid, startTime: self?.startTime ?? '', tag: runId }
  if (!writeExclusively(join(dir, RUNNER_FILE), claim)) return leave('taken')

  const spec = await readSpec(dir)
  if (!spec) throw new Error(`${dir} has no spec.json`)
  process.once('uncaughtException', (error) => fall(runId, error))
  process.once('unhandledRejection', (error) => fall(runId, error))

  const log = createEventLog(join(dir, EVENTS_FILE))
  const early: RunCommand[] = []
  let run: HostedRun | undefined
  const socket = openRunSocket(log, (command) => {
    if (run) run.command(command)
    else early.push(command)
  })
  await socket.listening
  run = hostRun({ dir, spec, log, onEvents: socket.notify })
  for (const command of early) run.command(command)
  process.on('SIGTERM', () => run?.stop('The runner was asked to stop.'))
  leave('claimed')

  await run.ended
  await socket.close()
  log.close()
  process.exit(0)
}

/** Runs a check and tells its end. It is for whoever holds the channel: when that closes, nothing of it is left running. */
async function check(order: CheckOrder): Promise<void> {
  process.umask(AGENT_UMASK)
  const unwanted = new AbortController()
  const closed = once(process, 'disconnect').then(() => unwanted.abort())
  process.once('SIGTERM', () => unwanted.abort())
  const reply: Reply = await runCheckProcess(order, unwanted.signal).catch((error: Error) => ({
    error: error.message,
  }))
  if (process.connected) process.send?.(reply)
  await closed
  process.exit(0)
}

/** The channel may be closed by now: whoever asked was killed meanwhile, and the run goes on. */
function leave(reply: RunnerReply): void {
  process.send?.(reply, undefined, undefined, () => {
    if (process.connected) process.disconnect()
  })
}

/** A bug or a full disk: no agent may go on unwatched. Without exit.json the run counts as lost, and is continued by session id. */
function fall(runId: string, error: unknown): never {
  process.stderr.write(`${new Date().toISOString()} runner of ${runId}: ${describe(error)}\n`)
  killUntilGone(() => taggedProcesses().filter((found) => found.runId === runId))
  process.exit(70)
}

const describe = (error: unknown) => (error instanceof Error ? error.stack : String(error))

process.umask(0o077)
for (const name of ['SIGINT', 'SIGHUP'] as const) process.on(name, () => undefined)
const unassigned = () => process.exit(0)
process.once('disconnect', unassigned)
process.once('message', (order: Order) => {
  process.off('disconnect', unassigned)
  const work = isCheck(order) ? check(order) : host(order)
  void work.catch((error: unknown) => fall(order.runId, error))
})
// The spawner may have gone before this line was reached.
if (!process.connected) process.exit(0)
