/** What the scripted model does with one request; how it looks on the wire is its dialect's business. */
export type Step =
  /** Says something and ends its turn. */
  (
    | { do: 'say'; text: string }
    /** Asks the agent to use a tool. */
    | { do: 'call'; tool: string; input: Record<string, unknown>; text?: string }
    /** Gives the structured answer that was asked for, or the same as JSON text where none was. */
    | { do: 'answer'; output: unknown; text?: string }
    /** An HTTP error, as the provider words it. `times`: then the next step; without it for ever. */
    | {
        do: 'fail'
        status: number
        type: string
        message: string
        headers?: Record<string, string>
        times?: number
      }
    /** Takes the request and says nothing. */
    | { do: 'hang' }
    /** Begins an answer and then says nothing more. */
    | { do: 'stall' }
    /** Begins an answer and cuts the connection. */
    | { do: 'drop' }
    /** An answer that is no event stream. */
    | { do: 'garbage' }
    /** Decides by what was asked. */
    | { do: 'decide'; by: (request: ModelRequest) => Step }
  ) & {
    usage?: Partial<StepUsage>
    /** Before it says anything. */
    delayMs?: number
    /** Text comes in so many pieces (3), with a pause after each (none). */
    pieces?: number
    everyMs?: number
  }

export type PlainStep = Exclude<Step, { do: 'decide' }>

/** Tokens that the provider says it charged for one answer; `input` is fresh input, without the cached. */
export interface StepUsage {
  input: number
  output: number
  cacheRead: number
  cacheWrite: number
}
export const USUAL_USAGE: Readonly<StepUsage> = {
  input: 1200,
  output: 34,
  cacheRead: 800,
  cacheWrite: 100,
}

/** A request of an agent, in words that do not depend on the provider. */
export interface ModelRequest {
  run: string
  /** `main`: a turn of the work; `compaction`: a summary of the conversation; `side`: a title and the like. */
  kind: 'main' | 'compaction' | 'side'
  model: string
  system: string
  tools: readonly string[]
  /** What the user side said, in order: prompts, results of tools, a person's corrections. */
  said: readonly Said[]
}

export interface Said {
  from: 'user' | 'tool' | 'agent'
  text: string
}

/** A request as the server got it. */
export interface RecordedRequest extends ModelRequest {
  at: number
  path: string
  /** Index of the step that answered it; -1 for everything but `main`. */
  step: number
  headers: Record<string, string>
  body: unknown
}
