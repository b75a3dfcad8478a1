import type { Access } from '../../contracts/agent.ts'

/**
 * What Gemini CLI may do in a run, as an admin policy of its policy engine, which goes before the person's own rules. A tool that is
 * denied whatever its arguments does not exist for the model.
 * - `write`: everything; its file tools keep to the working folder by themselves.
 * - `read`: looking at files, and a shell for git's looking commands only.
 */
export function policyOf(access: Access): string {
  const rules =
    access === 'write'
      ? [rule({ toolName: '*', decision: 'allow', priority: 900 })]
      : [
          rule({ toolName: '*', decision: 'deny', priority: 800 }),
          rule({ toolName: LOOK, decision: 'allow', priority: 900 }),
          ...GIT_READS.map((verb) =>
            shell({ pattern: gitRead(verb), decision: 'allow', priority: 900 }),
          ),
          shell({ pattern: ACTS, decision: 'deny', priority: 950 }),
        ]
  return rules.join('\n')
}

const LOOK = ['read_file', 'read_many_files', 'list_directory', 'glob', 'grep_search']
const GIT_READS =
  'blame diff grep log ls-files ls-tree merge-base rev-list rev-parse show status'.split(' ')

/** Tested on the arguments as JSON: a quote or a backslash in a command would stand there as `\`, which no pattern here takes. */
const gitRead = (verb: string) => `"command":"git ${verb}[\\w ./:=@,^~+%{}-]*"`
/** Options of those commands that write a file or start a program. */
const ACTS = '"command":"git [^"]* (?:-o|-O|--output|--ext-diff|--textconv|--open-files)'

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
