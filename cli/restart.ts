import { CliFailure, errorCode, isUnreachable, notRunning } from './failure.ts'
import { apiHangs, processOf } from './hanging.ts'
import { type FoundServer, supervises } from './server-url.ts'

/** A killed API is back within a second; a machine that is busy takes longer. */
const PATIENCE_MS = 3000
const STEP_MS = 100
/** Whoever waits longer for an answer is told so. */
const SILENT_MS = 4000

/**
 * Calls the server, and waits for it while its supervisor lives but it does not listen: it was killed and is started
 * again. Where it listens is looked up each time, because it may come back elsewhere. A call that was refused changed
 * nothing; one that was cut off is made again only when it is `repeatable`.
 */
export async function callThroughRestart<T>(options: {
  server: () => FoundServer
  call: (baseUrl: string) => Promise<T>
  repeatable: boolean
  signal: AbortSignal
  /** A line to the person. */
  note: (line: string) => void
}): Promise<T> {
  const { call, repeatable, signal, note } = options
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    const { url, supervisor, api } = options.server()
    const silence = setTimeout(
      () => note(`The API${processOf(api)} has not answered yet; waiting ...`),
      SILENT_MS,
    )
    try {
      return await call(url)
    } catch (error) {
      if (errorCode(error)?.startsWith('HPE_')) throw notHttp(url)
      if (!isUnreachable(error)) throw error
      if (supervisor === undefined) throw nothingAt(url, errorCode(error))
      if (!supervises(supervisor)) throw notRunning(refused(error) ? undefined : errorCode(error))
      if (errorCode(error) === 'ETIMEDOUT')
        throw apiHangs(api, !repeatable, (error as Error).message)
      if (!refused(error) && !repeatable) throw cutOff()
      if (signal.aborted || performance.now() >= deadline) throw restarting()
    } finally {
      clearTimeout(silence)
    }
    await new Promise((resolve) => setTimeout(resolve, STEP_MS))
  }
}

const refused = (error: unknown) => errorCode(error) === 'ECONNREFUSED'

const restarting = () =>
  new CliFailure('temporary', 'restarting', 'Dispatch is restarting; try again.')

const cutOff = () =>
  new CliFailure(
    'temporary',
    'cut_off',
    'Dispatch went away before it answered, and is restarting; whether it was done is not known.',
    'See what is there, then try again.',
  )

/** Node's parser of HTTP refused what came, as from a port of Temporal or Postgres. */
const notHttp = (url: string) =>
  new CliFailure(
    'notRunning',
    'strange_answer',
    `What listens at ${url} is not Dispatch's API: it speaks no HTTP.`,
    'Check the address: another program may listen there.',
  )

/** The address was given: whoever gave it may mean another machine, so how to start one here is no help. */
const nothingAt = (url: string, code: string | undefined) =>
  new CliFailure(
    'notRunning',
    'not_running',
    `Nothing answers at ${url} (${code}).`,
    'Check the address in --url or DISPATCH_URL.',
  )
