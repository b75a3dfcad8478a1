import type { AgentEvent, AgentNeeds, Detection, RunSpec } from '../contracts/agent.ts'
import type { ProgramSearch } from './find-program.ts'

/**
 * The seam between Dispatch and a coding agent. Raw output of an agent's CLI or SDK never leaves the adapter's folder.
 *
 * How the agents map to it:
 * - Claude Code: `query()` of its SDK with an async-iterable prompt. `start` passes `sessionId: spec.newSessionId`, `resume`
 *   passes `resume`. `correct` pushes one more user message with a uuid (`command_lifecycle` queued/started/completed become
 *   queued/delivered/applied); `interrupt` is `q.interrupt()`, then the tree is ended. `result.is_error` decides done or failed.
 * - Codex: one `codex app-server` child and JSON-RPC lines. `start` is `thread/start` + `turn/start`, `resume` is `thread/resume`;
 *   `correct` is `turn/steer` with the id as `clientUserMessageId` (its `userMessage` item is "applied"); `interrupt` is
 *   `turn/interrupt`. Usage is cumulative for the thread: the adapter subtracts the first total it sees.
 * - Gemini: a CLI with `-o stream-json`. `correct` writes the queue file that its AfterTool hook reads; `interrupt` is SIGINT, and
 *   exit 0 without a `result` is `interrupted` or `crash`, never done.
 * - ACP agents: JSON-RPC over stdio. `start` is `session/new`, `resume` is `session/load`; a correction is one more `session/prompt`
 *   where the agent queues those, otherwise it waits for the end of the turn; `interrupt` is `session/cancel`.
 * CLIs share `openCliSession` (cli-session.ts); SDKs spawn through `spawnCli` (cli-process.ts), so one place ends process trees.
 */
export interface Adapter {
  /** Key in the registry, `RunSpec.adapter` and the database. */
  name: string
  title: string
  /** True for the built-in scripted agent only. */
  demo: boolean
  /** Names of the CLI's own login variables, which the agent's environment may carry besides the allow-list. */
  loginVariables: readonly string[]
  /** Name of the program that is looked for, or its absolute path where the person named one; undefined where the adapter brings its own. */
  program?: string
  /** What it needs of the machine in a sandbox; `env` and `cwd`: the run's. */
  needs(env: Readonly<Record<string, string | undefined>>, cwd: string): AgentNeeds
  /** Looks for the agent without spending a token and without ever asking anything; answers within 10 s. */
  detect(search: ProgramSearch): Promise<Detection>
  /** Starts a new session. Never throws: a failure to start is the stream's `failed` event. */
  start(spec: RunSpec, io: AdapterIo): AgentSession
  /** Continues `spec.resumeSessionId`; the stream begins with a `session` event of the same id. */
  resume(spec: ResumeSpec, io: AdapterIo): AgentSession
}

export type ResumeSpec = RunSpec & { resumeSessionId: string }

export interface AdapterIo {
  /** Aborted when there is no more time for manners: the whole tree is killed, the stream ends in `failed`/`interrupted`. */
  signal: AbortSignal
}

/** A person's words for an agent at work. */
export interface Correction {
  id: string
  text: string
}

export interface AgentSession {
  /** For one reader. Never throws and always ends with exactly one `done` or `failed`, after the agent's process has ended. */
  events: AsyncIterable<AgentEvent>
  /** Hands over a person's correction, from the first moment on; the events `correction` tell how far it came. Ignored after the end. */
  correct(correction: Correction): void
  /** Asks the agent to stop: SIGINT or its protocol's own way, then the whole tree. Ends as `failed`/`interrupted` within 2 s. */
  interrupt(): void
}
