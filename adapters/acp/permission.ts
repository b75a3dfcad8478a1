import type {
  RequestPermissionRequest,
  RequestPermissionResponse,
  ToolCallUpdate,
} from '@agentclientprotocol/sdk'
import type { RunSpec } from '../../contracts/agent.ts'
import { isOfRun } from '../inside.ts'

/** Kinds of tools that change nothing: https://agentclientprotocol.com/protocol/v1/tool-calls#creating */
const LOOKS: ReadonlySet<string> = new Set(['read', 'search', 'think'])
/** Those whose places are files that they change. */
const CHANGES: ReadonlySet<string> = new Set(['edit', 'delete', 'move'])

/** Modes of agents in which they do not even try to write; the first that an agent has is set for runs that may only read. */
export const READ_MODES: readonly string[] = ['read-only', 'plan']

/** Answered by what the run may do, each time anew: nothing is allowed for longer than the agent asks for, and no change of a file elsewhere. */
export function answerFor(
  { options, toolCall }: RequestPermissionRequest,
  spec: RunSpec,
): RequestPermissionResponse {
  const isAllowed =
    spec.access === 'write'
      ? changedBy(toolCall).every((path) => isOfRun(path, spec))
      : LOOKS.has(toolCall.kind ?? 'other')
  const wanted = isAllowed ? ['allow_once', 'allow_always'] : ['reject_once', 'reject_always']
  const option = wanted.flatMap((kind) => options.filter((each) => each.kind === kind))[0]
  // without a way to say so, the question is withdrawn: that is a no
  if (!option) return { outcome: { outcome: 'cancelled' } }
  return { outcome: { outcome: 'selected', optionId: option.optionId } }
}

function changedBy({ kind, locations, content }: ToolCallUpdate): string[] {
  const diffs = (content ?? []).flatMap((part) => (part.type === 'diff' ? [part.path] : []))
  const places = CHANGES.has(kind ?? 'other') ? (locations ?? []).map(({ path }) => path) : []
  return [...diffs, ...places]
}
