/**
 * What `gemini -o stream-json` says, one JSON object a line, as far as this folder reads it (0.61). Everything may be absent in another
 * version, so every field is optional that may be.
 */
export type GeminiMessage =
  | { type: 'init'; session_id: string; model?: string }
  | { type: 'message'; role: 'user' | 'assistant'; content: string }
  | {
      type: 'tool_use'
      tool_name: string
      tool_id: string
      parameters?: Record<string, unknown>
      /** ISO 8601, from before the tool is at work. */
      timestamp?: string
    }
  | {
      type: 'tool_result'
      tool_id: string
      status: 'success' | 'error'
      output?: string
      error?: { message?: string }
    }
  | { type: 'error'; severity?: 'warning' | 'error'; message: string }
  | ResultMessage

export interface ResultMessage {
  type: 'result'
  status: 'success' | 'error'
  error?: { type?: string; message?: string }
  stats?: ResultStats
}

/** Tokens of this process. `input_tokens` holds the cached ones too, `input` is what was fresh; thoughts are only in the total. */
export interface ResultStats {
  total_tokens?: number
  input_tokens?: number
  output_tokens?: number
  cached?: number
  input?: number
}

/** One line of a session's file (`<home>/.gemini/tmp/<project>/chats/session-*.jsonl`): a message, its later state, or `$set`. */
export interface RecordLine {
  id?: string
  type?: string
  content?: unknown
  /** Of one answer; `input` holds the cached ones too. */
  tokens?: { input?: number; output?: number; cached?: number; thoughts?: number; tool?: number }
  toolCalls?: { id: string; result?: unknown }[]
  $set?: { messages?: RecordLine[] }
}
