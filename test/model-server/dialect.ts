import type { ServerResponse } from 'node:http'
import type { ModelRequest, PlainStep, StepUsage } from './step.ts'

/** One provider's protocol. Another one is a file beside these and an entry of `DIALECTS`. */
export interface Dialect {
  /** True for paths (behind `/s/<scenario>/<run>`) that this dialect serves. */
  serves(method: string, path: string): boolean
  /** The request in neutral words; undefined for one that wants no answer of the model (a count of tokens). */
  read(path: string, body: unknown): Omit<ModelRequest, 'run'> | undefined
  /** Answers what `read` did not take for a request to the model. */
  otherwise(path: string, body: unknown, response: ServerResponse): void
  /** Plays the step on the wire; true when the whole answer was handed over. */
  play(exchange: Exchange): Promise<boolean>
}

export interface Exchange {
  step: PlainStep
  usage: StepUsage
  request: ModelRequest
  path: string
  body: unknown
  response: ServerResponse
}
