import type { HookCallback, Options } from '@anthropic-ai/claude-agent-sdk'
import type { Access } from '../../contracts/agent.ts'

const LOOK = ['Read', 'Grep', 'Glob'] as const
const CHANGE = ['Edit', 'Write', 'NotebookEdit'] as const

/**
 * What Claude Code may do in a run. Only these tools exist for the model, whatever the person's own settings allow:
 * - `write`: files inside the working folder (`acceptEdits` refuses others), and any command. Never `bypassPermissions`: it does not
 *   work as root, and it would let edits leave the folder.
 * - `read`: looking at files, and a shell for git's looking commands only. Everything that would ask is refused (`dontAsk`).
 */
export function accessOptions(access: Access): Options {
  if (access === 'write')
    return {
      tools: [...LOOK, ...CHANGE, 'Bash'],
      allowedTools: ['Bash'],
      permissionMode: 'acceptEdits',
    }
  return {
    tools: [...LOOK, 'Bash'],
    disallowedTools: [...CHANGE],
    permissionMode: 'dontAsk',
    hooks: { PreToolUse: [{ matcher: 'Bash', hooks: [onlyGitReads] }] },
  }
}

const GIT_READS = 'blame|diff|grep|log|ls-files|ls-tree|merge-base|rev-list|rev-parse|show|status'
/** One plain command: nothing that a shell would expand, redirect or chain. */
const PLAIN = /^[\w\s./:=@,^~+%{}'"-]*$/
const COMMAND = new RegExp(`^git (?:--no-pager )?(?:${GIT_READS})(?: |$)`)
/** Options of those commands that write a file or start a program. */
const ACTS = /(?:^|\s)['"]?(?:--output|-o|--ext-diff|--textconv|-O|--open-files-in-pager)/

/** True for a command that only looks: git's own, alone, without options that write or start something. */
export function isGitRead(command: string): boolean {
  const text = command.trim()
  return PLAIN.test(text) && COMMAND.test(text) && !ACTS.test(text) && !/[\n\r]/.test(text)
}

/** Runs before each shell command of a run that may only read, those of subagents included; it goes before all permission rules. */
const onlyGitReads: HookCallback = async (input) => {
  if (input.hook_event_name !== 'PreToolUse') return {}
  const { command } = (input.tool_input ?? {}) as { command?: unknown }
  const allowed = typeof command === 'string' && isGitRead(command)
  return {
    hookSpecificOutput: {
      hookEventName: 'PreToolUse',
      permissionDecision: allowed ? 'allow' : 'deny',
      permissionDecisionReason: allowed
        ? 'looks only'
        : "This stage may only read. The shell takes single commands of git that look (log, diff, show, status, grep, blame, ls-files), without pipes. The results of the project's checks, where they were run, stand in the prompt.",
    },
  }
}
