import type { Access } from '../../contracts/agent.ts'
import { GIT_ACTS, GIT_READS, PLAIN } from '../git-reads.ts'

/**
 * What Gemini CLI may do in a run, as an admin policy of its policy engine, which goes before the person's own rules. A tool that is
 * denied whatever its arguments does not exist for the model.
 * - `write`: everything but what Dispatch has no part in; its file tools keep to the working folder and the run's home by themselves.
 * - `read`: looking at files, and a shell for git's looking commands only.
 */
export function policyOf(access: Access): string {
  const rules =
    access === 'write'
      ? [
          rule({ toolName: '*', decision: 'allow', priority: 900 }),
          rule({ toolName: ELSEWHERE, decision: 'deny', priority: 960 }),
          `${shell({ pattern: ANY, decision: 'allow', priority: 950 })}allowRedirection = true\n`,
        ]
      : [
          rule({ toolName: '*', decision: 'deny', priority: 800 }),
          rule({ toolName: LOOK, decision: 'allow', priority: 900 }),
          shell({ pattern: GIT_READ, decision: 'allow', priority: 900 }),
          shell({ pattern: ACTS, decision: 'deny', priority: 950 }),
        ]
  return rules.join('\n')
}

/**
 * Of a rule without a pattern Gemini CLI (0.61) makes a question for git in a folder that is not trusted, for redirections, `rm -rf` and more;
 * nobody is there to be asked, so those were refused.
 */
const ANY = '.'
/**
 * One run is one agent, which works in its folder and on nobody's network but its provider's: what a sub-agent takes is told when it is over,
 * and no correction reaches it; a plan is written outside the folder, and nobody is there to approve it.
 */
const ELSEWHERE = ['invoke_agent', 'enter_plan_mode', 'web_fetch', 'google_web_search']
const LOOK = ['read_file', 'read_many_files', 'list_directory', 'glob', 'grep_search']
/**
 * Tested on the arguments as JSON, sorted by name, each between zero characters in newer versions. Bound to their beginning: an argument
 * that the model makes up may hold another `"command"`. A quote or a backslash in a command would stand there as `\`, which is not plain.
 * Gemini CLI takes no pattern in which something that repeats is repeated or optional as a whole.
 */
const COMMAND = String.raw`^\{\x00?"command":"`
const GIT_READ = `${COMMAND}git (?:--no-pager |)(?:${GIT_READS})(?:| [${PLAIN}]*)"`
const ACTS = `${COMMAND}[^"]*${GIT_ACTS}`

interface Rule {
  toolName: string | readonly string[]
  decision: 'allow' | 'deny'
  priority: number
}

/** JSON's strings and lists are TOML's too. */
const rule = ({ toolName, decision, priority }: Rule) =>
  `[[rule]]\ntoolName = ${JSON.stringify(toolName)}\ndecision = "${decision}"\npriority = ${priority}\n`

const shell = ({ pattern, ...rest }: Omit<Rule, 'toolName'> & { pattern: string }) =>
  `${rule({ toolName: 'run_shell_command', ...rest })}argsPattern = '${pattern}'\n`
