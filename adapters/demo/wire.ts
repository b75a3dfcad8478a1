import type { CorrectionState, FailureReason, Usage } from '../../contracts/agent.ts'

/** What the demo agent prints, one JSON object per line: its own format, like any CLI's. Only this folder knows it. */
export type DemoOutput =
  | { type: 'init'; session_id: string; model: string; starts: number }
  | { type: 'delta'; text: string }
  | { type: 'thinking'; text: string }
  | { type: 'tool_start'; id: string; name: string; input: string }
  | { type: 'tool_end'; id: string; ok: boolean; output: string }
  | { type: 'file'; path: string; change: 'create' | 'edit' | 'delete' }
  | { type: 'usage'; usage: Usage; cost_usd: number }
  | { type: 'retry'; attempt: number; reason: FailureReason; delay_ms: number; detail: string }
  | { type: 'correction'; id: string; state: CorrectionState }
  | { type: 'notice'; text: string }
  | { type: 'result'; text: string; output?: unknown }
  | { type: 'error'; reason: FailureReason; detail: string; until?: string }

/** What it reads on stdin, one JSON object per line; the first is the prompt. */
export type DemoInput =
  | { type: 'prompt'; text: string; structured: boolean }
  | { type: 'correct'; id: string; text: string }
