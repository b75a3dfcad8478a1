import type { HookCallback, HookJSONOutput, Options } from '@anthropic-ai/claude-agent-sdk'
import type { RunSpec } from '../../contracts/agent.ts'
import { GIT_ACTS, GIT_READS, NO_PROGRAMS, PLAIN } from '../git-reads.ts'
import { isOfRun } from '../inside.ts'

const LOOK = ['Read', 'Grep', 'Glob'] as const
const CHANGE = ['Edit', 'Write', 'NotebookEdit'] as const

/**
 * What Claude Code may do in a run. Only these tools exist for the model, whatever the person's own settings allow:
 * - `write`: files inside the working folder, and any command. Never `bypassPermissions`: it does not work as root. `acceptEdits` refuses
 *   files elsewhere, but not where the person's own rules allow edits (`"allow": ["Edit"]`), as in their own sessions they well may.
 * - `read`: looking at files, and a shell for git's looking commands only. Everything that would ask is refused (`dontAsk`).
 */
export function accessOptions(spec: RunSpec): Options {
  if (spec.access === 'write')
    return {
      tools: [...LOOK, ...CHANGE, 'Bash'],
      allowedTools: ['Bash'],
      permissionMode: 'acceptEdits',
      hooks: { PreToolUse: [{ matcher: CHANGE.join('|'), hooks: [onlyOwnFiles(spec)] }] },
    }
  return {
    tools: [...LOOK, 'Bash'],
    disallowedTools: [...CHANGE],
    permissionMode: 'dontAsk',
    hooks: { PreToolUse: [{ matcher: 'Bash', hooks: [onlyGitReads] }] },
  }
}

const COMMAND = new RegExp(`^git (?:--no-pager )?(${GIT_READS})(?= |$)`)
const IS_PLAIN = new RegExp(`^['"${PLAIN}]*$`)
const ACTS = new RegExp(GIT_ACTS)
/** A repository's configuration can name programs for each of these; an earlier agent may have written it. */
const OVER_ITS_OWN = [
  '--no-pager',
  '--no-optional-locks',
  ...NO_PROGRAMS.map(([key, value]) => `-c ${key}=${value}`),
].join(' ')
const DIFFS = ['blame', 'diff', 'log', 'show']

/**
 * The command to run in place of one of git's that only looks, so that no configured program is started; undefined for every other
 * command. Not a sandbox: a content filter that the repository configures still runs, and what it changed is thrown away with the folder.
 */
export function gitRead(command: string): string | undefined {
  const text = command.trim()
  const verb = COMMAND.exec(text)?.[1]
  // quotes are nothing to git: `--out"put"` is `--output`
  if (verb === undefined || !IS_PLAIN.test(text) || ACTS.test(text.replace(/['"]/g, '')))
    return undefined
  const rest = text.slice(COMMAND.exec(text)?.[0].length)
  const plain = DIFFS.includes(verb) ? ' --no-ext-diff --no-textconv' : ''
  return `git ${OVER_ITS_OWN} ${verb}${plain}${rest}`
}

const REFUSED =
  "This stage may only read. The shell takes single commands of git that look (log, diff, show, status, grep, ls-files), without pipes and wildcards. The results of the project's checks, where they were run, stand in the prompt."

/** Runs before each shell command of a run that may only read; it goes before all permission rules. */
const onlyGitReads: HookCallback = async (input) => {
  if (input.hook_event_name !== 'PreToolUse') return {}
  const given = (input.tool_input ?? {}) as { command?: unknown }
  const command = typeof given.command === 'string' ? gitRead(given.command) : undefined
  if (command === undefined) return denied(REFUSED)
  const updatedInput = { ...given, command }
  const hookEventName = input.hook_event_name
  return { hookSpecificOutput: { hookEventName, permissionDecision: 'allow', updatedInput } }
}

const ELSEWHERE =
  'That is outside the working folder: Dispatch takes only what is changed inside it. Change the file of the same name there.'

/** Runs before each change of a file by a run that may write, and only ever refuses. */
const onlyOwnFiles =
  (spec: RunSpec): HookCallback =>
  async (input) => {
    if (input.hook_event_name !== 'PreToolUse') return {}
    const { file_path, notebook_path } = (input.tool_input ?? {}) as Record<string, unknown>
    return isOfRun(file_path ?? notebook_path, spec) ? {} : denied(ELSEWHERE)
  }

const denied = (permissionDecisionReason: string): HookJSONOutput => ({
  hookSpecificOutput: {
    hookEventName: 'PreToolUse',
    permissionDecision: 'deny',
    permissionDecisionReason,
  },
})
