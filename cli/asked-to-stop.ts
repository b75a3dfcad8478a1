import { constants } from 'node:os'

/** The signal by which this process was asked to stop: the reason of `askedToStop`. */
export class AskedToStop extends Error {
  readonly by: NodeJS.Signals
  /** What a shell says of a program that such a signal ended. */
  readonly exitCode: number
  constructor(by: NodeJS.Signals) {
    super(`asked to stop by ${by}`)
    this.by = by
    this.exitCode = 128 + constants.signals[by]
  }
}

/**
 * Aborts with AskedToStop on the first of the signals that mean it. `interrupted` aborts on Ctrl-C, for main.ts listens for that
 * from the beginning; a second one ends the process at once.
 */
export function askedToStop(interrupted: AbortSignal): AbortSignal {
  const asked = new AbortController()
  const ask = (by: NodeJS.Signals) => asked.abort(new AskedToStop(by))
  if (interrupted.aborted) ask('SIGINT')
  interrupted.addEventListener('abort', () => ask('SIGINT'))
  // more of the same changes nothing: a terminal that closes hangs up twice, by its shell too, and "dispatch stop" may be repeated
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ask(signal))
  return asked.signal
}
