import { RootCommand } from '@bomb.sh/tab'
import {
  type ArgumentSpec,
  type Command,
  type Completable,
  type Deps,
  globalOptions,
  type OptionSpec,
} from './command.ts'

/** An interactive shell waits for this. */
const LOOKUP_MS = 700

/** What `work` prints: @bomb.sh/tab writes to the console and nowhere else. */
function captured(work: () => void): string {
  const lines: string[] = []
  // biome-ignore-start lint/suspicious/noConsole: it is put back before anything else can run
  const { log } = console
  console.log = (text: string) => lines.push(text)
  try {
    work()
  } finally {
    console.log = log
  }
  // biome-ignore-end lint/suspicious/noConsole: as above
  return lines.join('\n')
}

interface Offer {
  value: string
  description: string
}

/**
 * For bash without the package bash-completion, whose functions the script of @bomb.sh/tab calls; that one also cannot
 * be sourced twice, and evaluates what is being typed. Option=value arrives as three words, hence the loop: it leaves the "=" out,
 * but for --json, which takes fields by it alone.
 */
const BASH_SCRIPT = `# bash completion for dispatch
__dispatch_complete() {
    local cur="\${COMP_WORDS[COMP_CWORD]}" word line directive=0 out before=""
    local -a words=()
    for word in "\${COMP_WORDS[@]:1:COMP_CWORD}"; do
        if [[ $before == "--json=" ]]; then
            words[\${#words[@]}-1]="--json=$word"
        elif [[ $word != "=" ]]; then
            words+=("$word")
        fi
        [[ $word == "=" ]] && before+="=" || before=$word
    done
    if [[ $cur == "=" ]]; then
        cur=""
        [[ $before == "--json=" ]] && words[\${#words[@]}-1]="--json=" || words+=("")
    fi
    out=$(dispatch complete -- "\${words[@]}" 2>/dev/null)
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line =~ ^:[0-9]+$ ]]; then
            directive=\${line#:}
            continue
        fi
        word=\${line%%$'\\t'*}
        [[ -n $word && $word == "$cur"* ]] && COMPREPLY+=("$word")
    done <<< "$out"
    (( directive & 2 )) && compopt -o nospace 2>/dev/null || return 0
}
complete -F __dispatch_complete dispatch
`

/** The script that a shell sources; it calls `dispatch complete -- <words>`. */
export function completionScript(shell: string): string {
  if (shell === 'bash') return BASH_SCRIPT
  const script = captured(() => new RootCommand().setup('dispatch', 'dispatch', shell))
  // that of zsh evaluates what is being typed unless it is quoted
  // biome-ignore lint/suspicious/noTemplateCurlyInString: of the shell
  return script.replace('-P ${BASH_REMATCH}', '-P ${(q)BASH_REMATCH}')
}

/** Answers a shell: `argv` is `--` and the words so far. Says nothing rather than fail: nobody could read it. */
export async function answerCompletion(options: {
  argv: readonly string[]
  commands: readonly Command[]
  deps: Deps
}): Promise<number> {
  const { commands, deps } = options
  const words = options.argv[0] === '--' ? options.argv.slice(1) : [...options.argv]
  const command = commandOf(words, commands)
  const fields = words.at(-1)?.match(/^--json=(.*,)?/)
  if (command && fields) return offerFields(command, fields[1] ?? '')
  const wanted = Object.values(command?.args ?? {}).find(({ complete }) => complete)?.complete
  const offers = wanted ? await withinTime(lookUp(wanted, deps)) : []
  const root = new RootCommand()
  for (const each of commands) declare(root, each, offers)
  root.parse([...words])
  return 0
}

/** As the shells' scripts read it: without "--json=", and nothing (2) and no file (4) after it. */
async function offerFields(command: Command, chosen: string): Promise<number> {
  const { fieldsOf } = await import('./known-fields.ts')
  const others = fieldsOf(command).filter((field) => !chosen.split(',').includes(field))
  // biome-ignore lint/suspicious/noConsole: as @bomb.sh/tab does
  console.log([...others.map((field) => `${chosen}${field}`), ':6'].join('\n'))
  return 0
}

function declare(root: RootCommand, command: Command, offers: Offer[]) {
  const target = root.command(command.name, command.summary)
  for (const [name, spec] of optionsOf(command)) {
    if (spec.type === 'boolean') {
      if (spec.short) target.option(name, spec.help, spec.short)
      else target.option(name, spec.help)
      continue
    }
    target.option(name, spec.help, (complete) => {
      for (const choice of spec.choices ?? []) complete(choice, '')
    })
  }
  for (const [name, spec] of Object.entries(command.args)) {
    target.argument(name, (complete) => {
      for (const { value, description } of offersFor(spec, offers)) complete(value, description)
    })
  }
}

const optionsOf = (command: Command): [string, OptionSpec][] =>
  Object.entries({ ...command.options, ...globalOptions(command) })

function offersFor(spec: ArgumentSpec, offers: Offer[]): Offer[] {
  if (spec.complete) return offers
  return (spec.choices ?? []).map((value) => ({ value, description: '' }))
}

function commandOf(words: readonly string[], commands: readonly Command[]): Command | undefined {
  const [first = '', second = ''] = words.filter((word) => !word.startsWith('-'))
  return (
    commands.find(({ name }) => name === `${first} ${second}`) ??
    commands.find(({ name }) => name === first)
  )
}

async function lookUp(kind: Completable, deps: Deps): Promise<Offer[]> {
  switch (kind) {
    case 'goal': {
      const { items } = await deps.call('listGoals', { query: { limit: 30 } })
      return items.map(({ shortId, title }) => ({ value: shortId, description: line(title) }))
    }
    case 'review': {
      const { items } = await deps.call('listReviews', { query: { status: 'pending', limit: 30 } })
      return items.map((review) => ({
        value: review.taskShortId ?? review.shortId,
        description: line(review.title),
      }))
    }
    case 'run': {
      const { items } = await deps.call('listAgents', { query: { limit: 30 } })
      return items.map((run) => ({
        value: run.shortId,
        description: `${run.adapter} ${run.stage}`,
      }))
    }
    default:
      return kind satisfies never
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they would break the line that the shell reads
const line = (title: string) => title.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, 60)

/** No server, or a slow one: no ids are offered then. */
async function withinTime(offers: Promise<Offer[]>): Promise<Offer[]> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Offer[]>((resolve) => {
    timer = setTimeout(() => resolve([]), LOOKUP_MS)
  })
  try {
    return await Promise.race([offers.catch(() => []), late])
  } finally {
    clearTimeout(timer)
  }
}
