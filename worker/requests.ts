import { ADAPTERS_CHANNEL } from '../db/adapters.ts'
import type { Database } from '../db/connect.ts'
import { CORRECTIONS_CHANNEL, waitingCorrections } from '../db/corrections.ts'
import { listen } from '../db/listen.ts'
import { answerAboutProgram, PROGRAMS_CHANNEL } from '../db/programs.ts'
import { type RunRow, runsToStop, STOPS_CHANNEL } from '../db/runs.ts'
import type { RunnerClient } from '../runner/runner.ts'

/** Hints get lost; what waits is looked for this often besides. */
const LOOK_MS = 15_000

export interface Requests {
  close(): Promise<void>
}

/**
 * Does what people ask of a worker beside the workflows, as soon as they do: hands stored corrections to the runs of this machine,
 * interrupts runs that are to end, also those of paused goals that nobody follows any more, looks for agents again, says whether a program may be started. Handing a correction over twice is harmless (its id makes it
 * happen once), so every worker tries: only the one that has the run reaches it. A correction whose run is not there yet, or
 * is just ending, stays queued; the next attempt's prompt brings it then.
 */
export function answerRequests(deps: {
  url: string
  database: Database
  runner: Pick<RunnerClient, 'send' | 'state'>
  /** Records how a run that is over has ended. */
  endRun: (run: RunRow, detail: string) => Promise<void>
  scanAdapters: () => Promise<void>
  /** Why the program at a path would not be started. */
  programProblem: (path: string) => Promise<string | undefined>
  onError: (error: Error) => void
}): Requests {
  const { runner, database } = deps
  let work = Promise.resolve()
  const then = (next: () => Promise<void>) => {
    work = work.then(next).catch(deps.onError)
  }
  const handOver = async (runId?: string) => {
    for (const { id, runId: run, text } of await waitingCorrections(database.knex, runId))
      await runner.send(run, { type: 'correct', id, text })
  }
  const interrupt = async (runId?: string) => {
    for (const run of await runsToStop(database.knex, runId)) {
      if ((await runner.send(run.id, { type: 'interrupt' })) === 'sent') continue
      // it is over; whoever followed it may be gone, and would not record why
      const state = await runner.state(run.id)
      if (state === 'exited' || state === 'lost') await deps.endRun(run, 'it was asked to end')
    }
  }
  const look = () => {
    then(() => handOver())
    then(() => interrupt())
  }
  const timer = setInterval(look, LOOK_MS)
  const listener = listen({
    url: deps.url,
    channels: [CORRECTIONS_CHANNEL, STOPS_CHANNEL, ADAPTERS_CHANNEL, PROGRAMS_CHANNEL],
    onNotify(channel, payload) {
      if (channel === CORRECTIONS_CHANNEL) then(() => handOver(payload))
      else if (channel === STOPS_CHANNEL) then(() => interrupt(payload))
      else if (channel === ADAPTERS_CHANNEL) then(deps.scanAdapters)
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
      await work
    },
  }
}
