import { ADAPTERS_CHANNEL } from '../db/adapters.ts'
import type { Database } from '../db/connect.ts'
import { CORRECTIONS_CHANNEL, waitingCorrections } from '../db/corrections.ts'
import { listen } from '../db/listen.ts'
import { answerAboutProgram, PROGRAMS_CHANNEL } from '../db/programs.ts'
import { type RunRow, runsToStop, STOPS_CHANNEL } from '../db/runs.ts'
import { type RunnerClient, RunnerSilent } from '../runner/runner.ts'

/** Hints get lost; what waits is looked for this often besides. */
const LOOK_MS = 15_000

export interface Requests {
  close(): Promise<void>
}

/**
 * Does what people ask of a worker beside the workflows, as soon as they do: hands stored corrections to the runs of this machine,
 * interrupts runs that are to end, also those of paused goals that nobody follows any more, looks for agents again, says whether a program
 * may be started. Handing a correction over twice is harmless (its id makes it happen once), so every worker tries: only the one that has
 * the run reaches it. A correction whose run is not there yet, or is just ending, stays queued; the next attempt's prompt brings it then.
 */
export function answerRequests(deps: {
  url: string
  database: Database
  runner: Pick<RunnerClient, 'send' | 'state'>
  /** Ends what is left of a run and records how it has ended. */
  endRun: (run: RunRow, detail: string) => Promise<void>
  scanAdapters: () => Promise<void>
  /** Why the program at a path would not be started. */
  programProblem: (path: string) => Promise<string | undefined>
  onError: (error: Error) => void
}): Requests {
  const { database } = deps
  const turns = createTurns(deps.onError)
  const answer = (runId: string) => turns.take(runId, () => answerRun(deps, runId))
  const look = () =>
    turns.take('look', async () => {
      const corrected = (await waitingCorrections(database.knex)).map(({ runId }) => runId)
      const toStop = (await runsToStop(database.knex)).map(({ id }) => id)
      for (const runId of new Set([...corrected, ...toStop])) answer(runId)
    })
  const timer = setInterval(look, LOOK_MS)
  const listener = listen({
    url: deps.url,
    channels: [CORRECTIONS_CHANNEL, STOPS_CHANNEL, ADAPTERS_CHANNEL, PROGRAMS_CHANNEL],
    onNotify(channel, payload) {
      if (channel === CORRECTIONS_CHANNEL || channel === STOPS_CHANNEL) answer(payload)
      else if (channel === ADAPTERS_CHANNEL) turns.take('adapters', deps.scanAdapters)
      // at once: somebody waits for it, and a look for agents may be under way
      else answerAboutProgram(database.knex, payload, deps.programProblem).catch(deps.onError)
    },
    onConnected: look,
    onError: deps.onError,
  })
  return {
    async close() {
      clearInterval(timer)
      await listener.close()
      await turns.over()
    },
  }
}

/** All that is asked of one run. */
async function answerRun(
  {
    database: { knex },
    runner,
    endRun,
  }: Pick<Parameters<typeof answerRequests>[0], 'database' | 'runner' | 'endRun'>,
  runId: string,
): Promise<void> {
  try {
    for (const { id, text } of await waitingCorrections(knex, runId))
      await runner.send(runId, { type: 'correct', id, text })
  } finally {
    for (const run of await runsToStop(knex, runId)) {
      const taken = await runner.send(runId, { type: 'interrupt' }).catch(ifSilent)
      if (taken === 'silent') await endRun(run, 'it was asked to end and did not answer')
      if (taken !== 'gone') continue
      // it is over; whoever followed it may be gone, and would not record why
      const state = await runner.state(runId)
      if (state === 'exited' || state === 'lost') await endRun(run, 'it was asked to end')
    }
  }
}

function ifSilent(error: unknown): 'silent' {
  if (error instanceof RunnerSilent) return 'silent'
  throw error
}

/** Work of one key is done one after the other, and apart from that of others, so that a run that hangs holds nobody else up. */
function createTurns(onError: (error: Error) => void) {
  const atWork = new Map<string, Promise<void>>()
  const again = new Set<string>()
  async function turn(key: string, work: () => Promise<void>): Promise<void> {
    do {
      again.delete(key)
      await work().catch(onError)
    } while (again.has(key))
    atWork.delete(key)
  }
  return {
    /** Asked for while it is done, it is done once more. */
    take(key: string, work: () => Promise<void>): void {
      if (atWork.has(key)) again.add(key)
      else atWork.set(key, turn(key, work))
    },
    async over(): Promise<void> {
      while (atWork.size > 0) await Promise.all(atWork.values())
    },
  }
}
