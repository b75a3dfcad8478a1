/**
 * What Dispatch and an agent say to each other. Zod-free: the runner starts with this file and must start fast.
 * Raw output of an agent's CLI never leaves its adapter's folder; everything else sees these events.
 */

/** Why a run ended without success. Closed: every reason has a sentence for the person in `domain/failures.ts`. */
export const FAILURE_REASONS = [
  'auth',
  'model',
  'rate_limit',
  'quota',
  'overloaded',
  'network',
  'context',
  'budget',
  'crash',
  'hung',
  'loop', // the same call over and over
  'interrupted',
  'refused',
  'invalid_output',
  'missing',
  'session', // the agent does not know the session that it was to continue
] as const
export type FailureReason = (typeof FAILURE_REASONS)[number]

/** Tokens of one run so far (cumulative within the run). `input` is fresh input: cache reads and writes are not in it. */
export interface Usage {
  input: number
  output: number
  cacheRead: number
  cacheWrite: number
  reasoning: number
}
/** All tokens of a run, as budgets count them: fresh and cached input, output. Reasoning is part of the output. */
export const totalTokens = (usage: Usage): number =>
  usage.input + usage.output + usage.cacheRead + usage.cacheWrite

export const NO_USAGE: Readonly<Usage> = {
  input: 0,
  output: 0,
  cacheRead: 0,
  cacheWrite: 0,
  reasoning: 0,
}

export type CorrectionState = (typeof CORRECTION_STATES)[number]
export const CORRECTION_STATES = ['queued', 'delivered', 'applied'] as const
/** What became of one in the end: `expired` when its run was over and no agent of the goal was asked anything after it. */
export const CORRECTION_FATES = [...CORRECTION_STATES, 'expired'] as const
export type CorrectionFate = (typeof CORRECTION_FATES)[number]

export type AgentEvent =
  /** Emitted before the first model call wherever the agent allows it. `ahead`: even before the agent was started, which tells it again. */
  | { type: 'session'; sessionId: string; model?: string; ahead?: true }
  | { type: 'text'; text: string }
  | { type: 'reasoning'; text: string }
  | { type: 'tool'; callId: string; name: string; input: string }
  | { type: 'tool_result'; callId: string; ok: boolean; output: string }
  | { type: 'file'; path: string; change: 'create' | 'edit' | 'delete' }
  /** `costUsd` is the agent's own figure; absent means unknown, never zero. */
  | { type: 'usage'; usage: Usage; costUsd?: number }
  | { type: 'retry'; attempt: number; reason: FailureReason; delayMs: number; detail: string }
  | { type: 'compaction'; trigger: 'auto' | 'manual'; summary?: string }
  | { type: 'correction'; id: string; state: CorrectionState }
  /** stderr, unknown events and other raw lines: kept, shown dimmed, never interpreted. */
  | { type: 'notice'; level: 'info' | 'warn'; text: string }
  | TerminalEvent

/** Every event stream ends in exactly one of these. */
export type TerminalEvent =
  /** `output` is the structured answer where the run asked for one; unvalidated here. */
  | { type: 'done'; text: string; output?: unknown }
  /** `until`: ISO time after which a rate limit or quota is over, where the agent told it. */
  | { type: 'failed'; reason: FailureReason; detail: string; until?: string }

/** An event as the runner stored it: `seq` counts from 1 without a gap within a run. */
export type RunEvent = AgentEvent & { seq: number; at: string }

/** What an agent run may do to files. `read` runs get read-only tools, and their changes are thrown away besides. */
export type Access = 'read' | 'write'

/** What keeps a project's agents from the rest of the machine. */
export const SANDBOXES = ['none', 'bwrap'] as const
export type SandboxKind = (typeof SANDBOXES)[number]
/** What a sandboxed agent reaches, the narrowest first: nothing, its model and login, or any machine but this one. */
export const NETWORKS = ['none', 'agent', 'all'] as const
export type Network = (typeof NETWORKS)[number]

/** A folder of an agent's in the person's home: the run sees one of its own in its place, with these names of the person's in it. */
export interface OwnFolder {
  folder: string
  /** Files: the run gets copies, and what it changes in them is thrown away. */
  copied?: readonly string[]
  /** Folders that outlive the run, such as those of sessions; made when missing. */
  shared?: readonly string[]
  /** The same, but each working folder has its own: what is left there by runs elsewhere is not seen. */
  apart?: readonly string[]
  /** Files that the agent writes in place, such as a login that is renewed. */
  sharedFiles?: readonly string[]
  /** Files and folders that it reads. */
  readOnly?: readonly string[]
}

/** What an agent needs of the machine besides the project; its adapter knows. */
export interface AgentNeeds {
  own: readonly OwnFolder[]
  /** Programs and scripts besides the one that is started; what is beside them is seen too. */
  programs?: readonly string[]
  /** `host` (port 443) or `host:port` of its model and its login: what the network `agent` is. */
  hosts: readonly string[]
}

/** A sandbox: only these absolute paths of the person's files are seen, the later lists over the earlier ones. */
export interface Sandbox {
  network: Network
  readOnly: readonly string[]
  writable: readonly string[]
  /** Inside what is writable, and yet not to be changed. */
  kept: readonly string[]
  /** `host:port` of Dispatch's own servers on other machines: not reached, whatever the network is. */
  never?: readonly string[]
  /** Filled in by the runner. */
  needs?: AgentNeeds
}

/** An agent that speaks the Agent Client Protocol, as a person configured it. Its adapter's name is `acp:<name>`. */
export interface AcpAgent {
  title?: string | undefined
  /** A program on the PATH, or an absolute path. */
  command: string
  args?: readonly string[] | undefined
  /** Names of the variables that it gets besides the allow-list: its login. Never their values. */
  env?: readonly string[] | undefined
  /** Where a sandbox lets it through: `host` or `host:port`; and folders of the home that it keeps its own things in. */
  hosts?: readonly string[] | undefined
  home?: readonly string[] | undefined
  /** Folders like those, of which each working folder has its own: where it keeps its sessions. */
  sessions?: readonly string[] | undefined
}

/** Everything a runner needs to run one agent; written to `runs/<runId>/spec.json` before anything starts. */
export interface RunSpec {
  runId: string
  adapter: string
  /** How the agent is started, where `adapter` is `acp:<name>`. */
  acp?: AcpAgent
  /** The program to start; adapters that bring their own leave it out. */
  binary?: string
  /** Why no program may be started, in words: the run ends with it as `missing`. */
  refused?: string
  cwd: string
  prompt: string
  model?: string
  access: Access
  /** Absent: the agent is as free as the person. */
  sandbox?: Sandbox
  /** A fresh uuid for agents that let us choose the session's id. */
  newSessionId: string
  /** Continue this session instead of starting one. */
  resumeSessionId?: string
  /** JSON Schema (2020-12) of the structured answer; absent means free text. */
  outputSchema?: Record<string, unknown>
  /** The whole environment of the agent: built from an allow-list, nothing is inherited. */
  env: Record<string, string>
  /** Longest silence (no event, no CPU used by the tree) before the run is ended as `hung`, in seconds. */
  silenceSeconds: number
  /** The dead-man switch: without a `renew` for this long the runner ends the whole process tree, in seconds. */
  leaseSeconds: number
  /** Tokens of budgets that are set aside for it: it is ended at these where nobody renews it. Absent or 0: no budget limits it. */
  tokensReserved?: number
}

/** `runs/<runId>/exit.json`: written once, last, atomically. */
export interface RunExit {
  at: string
  /** seq of the terminal event; every event up to it is in `events.ndjson`. */
  lastSeq: number
  terminal: TerminalEvent
}

export type RunCommand =
  | { type: 'correct'; id: string; text: string }
  | { type: 'interrupt' }
  /** `tokensReserved`: as in the spec, by now. */
  | { type: 'renew'; tokensReserved?: number }

export type RunState = 'absent' | 'running' | 'exited' | 'lost'

/** In a profile, in place of an adapter's name: Dispatch chooses the agent when the goal is filed. */
export const AUTO = 'auto'

/** What an agent of that version can do, as far as Dispatch drives it. */
export const CAPABILITIES = [
  'streams', // shows text while it works
  'corrections', // takes a correction in the middle of its work
  'resumes', // goes on with a session after any end
  'structured', // gives its answer in a given shape
  'cost', // tells what a run cost
  'read_only', // can be kept from writing
] as const
export type Capability = (typeof CAPABILITIES)[number]

/** Another copy of an agent's program that was found, and why it is not the one that is started. */
export interface OtherCopy {
  path: string
  /** Who put it there. */
  place: string
  version?: string
  why: string
}

/** What detection knows about an installed agent; no token is spent to find out. */
export interface Detection {
  adapter: string
  title: string
  found: boolean
  version?: string
  binary?: string
  /** What `binary` leads to, who put it there and whose it is. */
  realpath?: string
  place?: string
  owner?: string
  capabilities?: readonly Capability[]
  others?: readonly OtherCopy[]
  /** Why none is started although the person named one, or some are there. */
  refused?: string
  login: 'ready' | 'needed' | 'unknown'
  /** True for the built-in scripted agent: shown as a demo everywhere. */
  demo: boolean
  /** What to do when it is not found or not logged in: one sentence with the command. */
  advice?: string
}
