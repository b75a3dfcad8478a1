/**
 * What Claude Code says, as far as this folder reads it: the messages of the Agent SDK 0.3 (Claude Code 2.1), one JSON object each.
 * Narrower than the SDK's own types on purpose, with the fields that those leave out (`command_lifecycle`,
 * `model_usage_since_last_result`). Everything may be absent in another version, so every field is optional that may be.
 */
export type ClaudeMessage =
  | SystemMessage
  | AssistantMessage
  | UserMessage
  | StreamEvent
  | ResultMessage
  | RateLimitMessage
  | { type: 'command_lifecycle'; command_uuid: string; state: string }

export type SystemMessage = { type: 'system' } & (
  | { subtype: 'init'; session_id: string; model?: string; capabilities?: string[] }
  | {
      subtype: 'api_retry'
      attempt: number
      max_retries: number
      retry_delay_ms: number
      error_status: number | null
      error: string
    }
  | { subtype: 'compact_boundary'; compact_metadata?: { trigger?: string } }
  | { subtype: 'permission_denied'; tool_name?: string; message?: string; reason?: string }
)

export interface AssistantMessage {
  type: 'assistant'
  message: { id: string; content: ContentBlock[] }
  parent_tool_use_id?: string | null
  /** Set where the text is the CLI's own words about a failed request. */
  error?: string
}

export interface UserMessage {
  type: 'user'
  message: { content: string | ContentBlock[] }
  isSynthetic?: boolean
  tool_use_result?: unknown
}

export type ContentBlock =
  | { type: 'text'; text: string }
  | { type: 'thinking'; thinking: string }
  | { type: 'tool_use'; id: string; name: string; input: Record<string, unknown> }
  | {
      type: 'tool_result'
      tool_use_id: string
      content?: string | { type: string; text?: string }[]
      is_error?: boolean
    }

export interface StreamEvent {
  type: 'stream_event'
  parent_tool_use_id?: string | null
  event:
    | { type: 'message_start'; message: { id: string; usage?: WireUsage } }
    | { type: 'message_delta'; usage?: WireUsage }
    | {
        type: 'content_block_delta'
        delta:
          | { type: 'text_delta'; text: string }
          | { type: 'thinking_delta'; thinking: string }
          | { type: 'input_json_delta' }
      }
    | { type: 'message_stop' | 'content_block_start' | 'content_block_stop' | 'ping' }
}

export interface WireUsage {
  input_tokens?: number | null
  output_tokens?: number | null
  cache_read_input_tokens?: number | null
  cache_creation_input_tokens?: number | null
}

export interface WireModelUsage {
  inputTokens: number
  outputTokens: number
  cacheReadInputTokens: number
  cacheCreationInputTokens: number
  thinkingTokens?: number
  costUSD: number
  /** `unknown`: the model is not in its price list, and `costUSD` is a guess. */
  costBasis?: string
}

export interface ResultMessage {
  type: 'result'
  subtype: string
  /** The flag to trust: a failed request is `subtype: "success"` too. */
  is_error: boolean
  result?: string
  structured_output?: unknown
  errors?: string[]
  stop_reason?: string | null
  terminal_reason?: string
  api_error_status?: number | null
  api_error_type?: string
  api_error?: string
  startup_failure_reason?: string
  queued_turn_count?: number
  /** This turn's tokens of the main loop alone. */
  usage?: WireUsage
  /** Per model, side calls included, since the last result of this session, whichever process gave that one. */
  model_usage_since_last_result?: Record<string, WireModelUsage>
}

export interface RateLimitMessage {
  type: 'rate_limit_event'
  /** `resetsAt`: epoch seconds. */
  rate_limit_info: { status: string; resetsAt?: number }
}
