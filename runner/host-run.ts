import { join } from 'node:path'
import type { AgentSession } from '../adapters/adapter.ts'
import { isErrno } from '../adapters/is-errno.ts'
import {
  killUntilGone,
  processesOf,
  RUN_DIR_VARIABLE,
  RUN_ID_VARIABLE,
} from '../adapters/process-tree.ts'
import { openSession } from '../adapters/registry.ts'
import {
  type AgentEvent,
  type RunCommand,
  type RunExit,
  type RunSpec,
  type TerminalEvent,
  totalTokens,
} from '../contracts/agent.ts'
import type { EventLog } from './event-log.ts'
import { createIntake } from './intake.ts'
import { EXIT_FILE, writeAtomically } from './run-files.ts'
import { tidyRun } from './tidy.ts'
import { type Watch, watchRun } from './watch.ts'

export interface HostedRun {
  command(command: RunCommand): void
  /** The runner itself was told to stop. */
  stop(why: string): void
  /** Settles after `exit.json` is written. */
  ended: Promise<void>
}

export interface HostOptions {
  /** Absolute. */
  dir: string
  spec: RunSpec
  log: EventLog
  onEvents(): void
}

/** After this long an agent that was asked to stop is killed, and after as long again it is given up. */
const STOP_GRACE_MS = 3000

/** Runs one agent from its spec to `exit.json`. Its whole process tree is gone before the terminal event is stored. */
export function hostRun(options: HostOptions): HostedRun {
  const { dir, spec, log, onEvents } = options
  const killer = new AbortController()
  const corrections = new Set<string>()
  const waiting: RunCommand[] = []
  let session: AgentSession | undefined
  /** Why we ended it ourselves: goes before what the agent says about it. */
  let ours: TerminalEvent | undefined
  let over = false
  let { tokensReserved = 0 } = spec
  let used = 0
  let giveUp: (() => void) | undefined
  const givenUp = new Promise<void>((resolve) => {
    giveUp = resolve
  })

  const end = (terminal: TerminalEvent) => {
    if (ours) return
    ours = terminal
    session?.interrupt()
    setTimeout(() => {
      killer.abort()
      setTimeout(() => giveUp?.(), STOP_GRACE_MS).unref()
    }, STOP_GRACE_MS).unref()
  }
  const watch = watchRun({
    leaseSeconds: spec.leaseSeconds,
    silenceSeconds: spec.silenceSeconds,
    onLeaseOver: () => end(failed('interrupted', leaseOver(spec.leaseSeconds))),
    onHung: () => end(failed('hung', `No sign of life for ${spec.silenceSeconds} s.`)),
    isOverspent: () => tokensReserved > 0 && used >= tokensReserved,
    onOverspent: () => end(failed('interrupted', overspent(used, tokensReserved))),
  })
  const command = (given: RunCommand) => {
    if (given.type === 'renew') {
      tokensReserved = given.tokensReserved ?? tokensReserved
      return watch.renewed()
    }
    if (!session) return void waiting.push(given)
    if (given.type === 'interrupt') return end(failed('interrupted', 'Ended on request.'))
    // A correction may be sent again when its answer was lost: its id makes it happen once.
    if (corrections.has(given.id)) return
    corrections.add(given.id)
    session.correct({ id: given.id, text: given.text })
  }
  const run = async () => {
    session = await openSession(withTags(spec, dir), { signal: killer.signal })
    for (const given of waiting.splice(0)) command(given)
    if (ours) session.interrupt()
    const isOver = () => over
    const onTokens = (tokens: number) => {
      used = tokens
    }
    const recorded = record(session, { spec, log, onEvents, watch, isOver, onTokens })
    const said = await Promise.race([recorded, givenUp])
    over = true
    watch.stop()
    killUntilGone(() => leftOf(spec.runId))
    const terminal =
      said?.type === 'done' ? said : (ours ?? said ?? failed('crash', 'The agent gave no answer.'))
    finish(options, terminal)
  }
  return {
    command,
    stop: (why) => end(failed('interrupted', why)),
    ended: run(),
  }
}

const failed = (reason: 'interrupted' | 'hung' | 'crash', detail: string): TerminalEvent => ({
  type: 'failed',
  reason,
  detail,
})

const leaseOver = (seconds: number) =>
  `Nobody asked for this run for ${seconds} s (no worker is running), so it was ended.`

const overspent = (used: number, reserved: number) =>
  `It used ${used} tokens, ${reserved} were set aside for it, and no worker set aside more, so it was ended.`

function withTags(spec: RunSpec, dir: string): RunSpec {
  return {
    ...spec,
    env: { ...spec.env, [RUN_ID_VARIABLE]: spec.runId, [RUN_DIR_VARIABLE]: dir },
  }
}

/** Everything this run started; this process, which is its runner, is not part of it. */
const leftOf = (runId: string) =>
  processesOf({ root: process.pid, runId }).filter(({ pid }) => pid !== process.pid)

type RecordOptions = Pick<HostOptions, 'spec' | 'log' | 'onEvents'> & {
  watch: Watch
  /** True after an adapter that would not end was given up: the terminal event stays the last one. */
  isOver(): boolean
  /** All that it has used so far, as often as the agent tells it. */
  onTokens(tokens: number): void
}

/** Stores the events as they come; returns the terminal one, redacted, not yet stored. */
async function record(
  session: AgentSession,
  { spec, log, onEvents, watch, isOver, onTokens }: RecordOptions,
): Promise<TerminalEvent> {
  let terminal: TerminalEvent | undefined
  const intake = createIntake(spec.env, (event: AgentEvent) => {
    if (isOver()) return
    if (event.type === 'done' || event.type === 'failed') {
      terminal = event
      return
    }
    if (event.type === 'usage') onTokens(totalTokens(event.usage))
    log.append(event)
    onEvents()
  })
  for await (const event of session.events) {
    watch.heard()
    intake.add(event)
    if (terminal) return terminal
  }
  intake.flush()
  return failed('crash', 'The adapter ended without a result.')
}

/**
 * The terminal event and `exit.json` are both durable before anyone hears of the end. Where somebody deleted the run's folder, those who follow
 * it hear of it all the same: an answer is paid for.
 */
function finish({ dir, spec, log, onEvents }: HostOptions, terminal: TerminalEvent): void {
  const lastSeq = log.append(terminal)
  log.flush()
  const exit: RunExit = { at: new Date().toISOString(), lastSeq, terminal }
  try {
    tidyRun(dir, spec)
    writeAtomically(join(dir, EXIT_FILE), exit)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
  onEvents()
}
