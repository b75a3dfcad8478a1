/**
 * What `codex app-server` says and is told, as far as this folder reads it: the "v2" protocol of Codex 0.120 to 0.169, JSON-RPC lines
 * without the `jsonrpc` field (`codex app-server generate-ts` prints all of it). What may be absent in another version is optional.
 */
export type RpcId = number | string

export interface RpcMessage {
  id?: RpcId
  method?: string
  params?: unknown
  result?: unknown
  error?: { code: number; message: string }
}

export interface ThreadAnswer {
  thread: { id: string }
  model?: string
  /** The one that its commands are fenced in by, from 0.140 on. */
  activePermissionProfile?: { id: string } | null
}

export interface TurnAnswer {
  turn: { id: string }
}

export interface ConfigAnswer {
  config?: { mcp_servers?: Record<string, unknown> | null }
}

/** The notifications that are read; each names the thread that it is about. */
export type Notification =
  | { method: 'item/started' | 'item/completed'; params: { threadId?: string; item: Item } }
  | {
      method: 'item/agentMessage/delta'
      params: { threadId?: string; itemId: string; delta: string }
    }
  | {
      method: 'item/reasoning/textDelta' | 'item/reasoning/summaryTextDelta'
      params: { threadId?: string; delta: string }
    }
  | {
      method: 'thread/tokenUsage/updated'
      params: { threadId?: string; turnId: string; tokenUsage: TokenUsage }
    }
  | { method: 'rawResponse/completed'; params: { threadId?: string; usage?: TokenCounts | null } }
  | { method: 'rawResponseItem/completed'; params: { threadId?: string; item: RawItem } }
  | { method: 'account/rateLimits/updated'; params: { threadId?: string; rateLimits: RateLimits } }
  | { method: 'error'; params: { threadId?: string; error: TurnError; willRetry: boolean } }
  | { method: 'turn/completed'; params: { threadId?: string; turn: Turn } }
  | {
      method:
        | 'warning'
        | 'configWarning'
        | 'deprecationNotice'
        | 'guardianWarning'
        | 'model/rerouted'
      params: { threadId?: string; summary?: string; message?: string }
    }

/** One thing that happened in a turn. */
export type Item = { id: string } & (
  | { type: 'userMessage'; clientId?: string | null; content: { type: string; text?: string }[] }
  | { type: 'agentMessage'; text: string }
  | { type: 'reasoning' }
  | {
      type: 'commandExecution'
      command: string
      status: string
      commandActions?: { command?: string }[]
      aggregatedOutput?: string | null
      exitCode?: number | null
    }
  | { type: 'fileChange'; changes: FileChange[]; status: string }
  | {
      type: 'mcpToolCall'
      server: string
      tool: string
      status: string
      arguments?: unknown
      result?: unknown
      error?: { message?: string } | null
    }
  | { type: 'webSearch'; query?: string }
  | { type: 'contextCompaction' }
)

/** An item of the conversation as the provider has it. */
export interface RawItem {
  type: string
  call_id?: string
  name?: string
  arguments?: string
  input?: string
  output?: unknown
}

export interface FileChange {
  path: string
  /** A plain word in `codex exec --json`. */
  kind: { type: string } | string
}

export interface TokenCounts {
  /** The cached ones and those written to the cache are in it. */
  inputTokens: number
  cachedInputTokens: number
  cacheWriteInputTokens?: number
  /** Reasoning is in it. */
  outputTokens: number
  reasoningOutputTokens: number
}

/** `total`: of the whole thread, over turns, processes, resumes and forks. */
export interface TokenUsage {
  total: TokenCounts
  last: TokenCounts
}

export interface RateLimits {
  primary?: RateWindow | null
  secondary?: RateWindow | null
}

export interface RateWindow {
  usedPercent: number
  /** Epoch seconds. */
  resetsAt?: number | null
}

export interface Turn {
  id: string
  status: 'completed' | 'interrupted' | 'failed' | 'inProgress'
  error?: TurnError | null
}

export interface TurnError {
  message: string
  codexErrorInfo?: ErrorInfo | null
  additionalDetails?: string | null
}

/** A word, or an object with one word as its key. */
export type ErrorInfo = string | Record<string, { httpStatusCode?: number | null } | undefined>

/** One line of `codex exec --json`. */
export type ExecLine =
  | { type: 'thread.started'; thread_id: string }
  | { type: 'item.started' | 'item.completed' | 'item.updated'; item: ExecItem }
  | { type: 'turn.completed'; usage?: ExecUsage }
  | { type: 'turn.failed'; error: { message: string } }
  | { type: 'error'; message: string }
  | { type: 'turn.started' }

export type ExecItem = { id: string } & (
  | { type: 'agent_message' | 'reasoning'; text: string }
  | {
      type: 'command_execution'
      command: string
      aggregated_output?: string
      exit_code?: number | null
      status: string
    }
  | { type: 'file_change'; changes: FileChange[]; status: string }
  | { type: 'error'; message: string }
)

/** Cumulative for the thread like `TokenUsage.total`. */
export interface ExecUsage {
  input_tokens: number
  cached_input_tokens: number
  cache_write_input_tokens?: number
  output_tokens: number
  reasoning_output_tokens?: number
}
