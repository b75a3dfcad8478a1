import { parseArgs } from 'node:util'
import {
  type ArgumentSpec,
  type Command,
  GLOBAL_OPTIONS,
  type OptionSpec,
  type Values,
} from './command.ts'
import { usageFailure } from './failure.ts'
import { didYouMean, suggestions } from './suggest.ts'

export interface Parsed {
  /** Undefined when no command was named. */
  command: Command | undefined
  values: Values
}

type OptionToken = Extract<
  NonNullable<ReturnType<typeof parseArgs>['tokens']>[number],
  { kind: 'option' }
>

/**
 * Reads a command line against the table of commands. Options may stand anywhere before `--`.
 * Throws a usage failure that says what to write instead.
 */
export function parseCommandLine(argv: readonly string[], commands: readonly Command[]): Parsed {
  const { tokens } = parseArgs({
    args: [...argv],
    options: everyOption(commands),
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const end = tokens.find((token) => token.kind === 'option-terminator')?.index ?? argv.length
  const positionals = tokens.filter((token) => token.kind === 'positional')
  const said = positionals.filter(({ index }) => index < end).map(({ value }) => value)
  // `help goal show` is `goal show --help`
  const asksHelp = said[0] === 'help'
  const words = asksHelp ? said.slice(1) : said
  const options = tokens.filter((token) => token.kind === 'option')
  const command = findCommand(words, commands)
  const known = { ...GLOBAL_OPTIONS, ...command?.options }
  const values = optionValues(options, known, { commandName: command?.name, argv })
  if (asksHelp) values['help'] = true
  if (!command) {
    if (words[0] !== undefined && (asksHelp || !values['help']))
      throw unknownCommand(words, commands)
    return { command, values }
  }
  if (values['help']) return { command, values }
  refuseOtherPlace(command, values)
  const rest = positionals.slice(command.name.split(' ').length).map(({ value }) => value)
  refuseMistypedGroup(command, { rest, literal: end < argv.length, commands })
  return { command, values: { ...values, ...argumentValues(command, rest, argv) } }
}

/** A home or a server that is named and not used would be taken for the one that is worked on. */
function refuseOtherPlace({ name, onHome, bringsOwn }: Command, { home, url }: Values) {
  if (onHome && url !== undefined)
    throw usageFailure(
      `"dispatch ${name}" works on a home of this machine: it takes no --url.`,
      'Name the home: --home <dir>',
    )
  if (bringsOwn && (home ?? url) !== undefined)
    throw usageFailure(
      `"dispatch ${name}" works in a folder and on a server of its own: it takes no --home and no --url.`,
      'To work on a home: dispatch start --home <dir>',
    )
}

/** parseArgs must know which options take a value before the command is known; a test keeps them of one type. */
function everyOption(commands: readonly Command[]) {
  const all: Record<string, OptionSpec> = { ...GLOBAL_OPTIONS }
  for (const command of commands) Object.assign(all, command.options)
  return Object.fromEntries(
    Object.entries(all).map(([name, { type, short }]) => [
      name,
      short ? { type, short } : { type },
    ]),
  )
}

/** The command with the most words: `goal show` before `goal`. */
function findCommand(words: string[], commands: readonly Command[]): Command | undefined {
  const two = words.slice(0, 2).join(' ')
  return commands.find(({ name }) => name === two) ?? commands.find(({ name }) => name === words[0])
}

function unknownCommand(words: string[], commands: readonly Command[]) {
  const names = commands.map(({ name }) => name)
  const firsts = names.map((name) => name.split(' ')[0] ?? name)
  const two = words.slice(0, 2).join(' ')
  const advice = didYouMean(words[0] ?? '', firsts) ?? didYouMean(two, names)
  return usageFailure(
    `Unknown command "${words[0]}".`,
    advice ?? 'See all commands: dispatch --help',
  )
}

function optionValues(
  tokens: readonly OptionToken[],
  known: Readonly<Record<string, OptionSpec>>,
  { commandName, argv }: { commandName: string | undefined; argv: readonly string[] },
): Values {
  const values: Values = Object.fromEntries(
    Object.entries(known).map(([name, { type }]) => [name, type === 'boolean' ? false : undefined]),
  )
  const seen = new Set<string>()
  for (const token of tokens) {
    const { name, rawName } = token
    const spec = Object.hasOwn(known, name) ? known[name] : undefined
    if (!spec) {
      const advice =
        negativeNumber(argv[token.index]) ??
        didYouMean(
          `--${name}`,
          Object.keys(known).map((each) => `--${each}`),
        )
      const help = commandName ? `dispatch ${commandName} --help` : 'dispatch --help'
      throw usageFailure(
        `Unknown option "${rawName}"${commandName ? ` for "dispatch ${commandName}"` : ''}.`,
        advice ?? `See its options: ${help}`,
      )
    }
    if (seen.has(name) && spec.type === 'string')
      throw usageFailure(`Option "${rawName}" is given twice.`, 'Give it once.')
    seen.add(name)
    values[name] = optionValue(token, spec)
  }
  return values
}

/** No option is a number. */
const negativeNumber = (text: string | undefined) =>
  /^-\d/.test(text ?? '') ? `If "${text}" is the value, write it after --: -- ${text}` : undefined

function optionValue(
  { rawName, value, inlineValue }: OptionToken,
  spec: OptionSpec,
): string | boolean {
  if (spec.type === 'boolean') {
    if (value !== undefined && !spec.mayHave)
      throw usageFailure(`Option "${rawName}" takes no value.`)
    return true
  }
  const looksLikeOption = !inlineValue && value !== '-' && value?.startsWith('-')
  if (value === undefined || (value === '' && !spec.mayBeEmpty) || looksLikeOption) {
    throw usageFailure(
      `Option "${rawName}" needs a value.`,
      looksLikeOption ? `If "${value}" is the value, write ${rawName}=${value}` : undefined,
    )
  }
  refuseOtherChoice(value, spec.choices, `Option "${rawName}"`)
  return value
}

function argumentValues(command: Command, rest: string[], argv: readonly string[]): Values {
  const specs: [string, ArgumentSpec][] = Object.entries(command.args)
  const values: Values = {}
  for (const [at, [name, spec]] of specs.entries()) {
    const value = rest[at]
    const empty = value?.trim() === ''
    if (value === undefined && !spec.required) continue
    if (value === undefined || (empty && !spec.mayBeEmpty))
      throw usageFailure(
        empty
          ? `<${name}> must not be empty.`
          : `"dispatch ${command.name}" needs <${name}>: ${spec.help}.`,
        command.examples[0] ? `For example: ${command.examples[0]}` : undefined,
      )
    refuseOtherChoice(value, spec.choices, `<${name}>`)
    values[name] = value
  }
  const surplus = rest[specs.length]
  if (surplus !== undefined)
    throw usageFailure(
      `"dispatch ${command.name}" does not take "${surplus}".`,
      argv[argv.indexOf(surplus) - 1] === '--json'
        ? `To choose fields: --json=${surplus}`
        : (command.surplus ?? 'Put text with spaces in quotes.'),
    )
  return values
}

function refuseOtherChoice(value: string, choices: readonly string[] | undefined, what: string) {
  if (!choices || choices.includes(value)) return
  throw usageFailure(
    `${what} cannot be "${value}": it is one of ${choices.join(', ')}.`,
    didYouMean(value, choices),
  )
}

/** `goal` takes a text and has subcommands: `goal shwo G-1` must not file a goal called "shwo". */
function refuseMistypedGroup(
  command: Command,
  { rest, literal, commands }: { rest: string[]; literal: boolean; commands: readonly Command[] },
) {
  const first = rest[0]
  if (literal || first === undefined || /\s/.test(first)) return
  const prefix = `${command.name} `
  const members = commands
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name }) => name.slice(prefix.length))
  if (members.length === 0) return
  const [meant] = suggestions(first, members)
  const takesText = Object.keys(command.args).length > 0
  if (takesText && !meant) return
  throw usageFailure(
    `"dispatch ${command.name}" has no command "${first}".`,
    meant
      ? `Did you mean dispatch ${prefix}${meant}?${takesText ? ` To use it as text: dispatch ${prefix}-- ${first}` : ''}`
      : `It has ${members.join(', ')}.`,
  )
}
