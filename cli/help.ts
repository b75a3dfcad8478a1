import { type Command, GLOBAL_OPTIONS, globalOptions, type OptionSpec } from './command.ts'
import { padEnd } from './terminal-text.ts'

const WIDTH = 30

/** Help of one command, examples first. */
export function commandHelp(command: Command, commands: readonly Command[]): string {
  const args = Object.entries(command.args)
  const usage = [
    `dispatch ${command.name}`,
    ...args.map(([name, { required }]) => (required ? `<${name}>` : `[${name}]`)),
    '[options]',
  ].join(' ')
  const members = commands.filter(({ name }) => name.startsWith(`${command.name} `))
  return sections([
    [`${command.summary}.`, []],
    ['Examples', command.examples],
    ['Usage', [usage]],
    ['Arguments', args.map(([name, spec]) => row(name, withChoices(spec.help, spec.choices)))],
    ['Options', optionRows(command.options)],
    ['Commands', members.map(({ name, summary }) => row(name, summary))],
    ['Everywhere', optionRows(globalOptions(command))],
  ])
}

/** Help of the whole program, examples first. */
export function programHelp(commands: readonly Command[]): string {
  return sections([
    ['Dispatch directs coding agents from a goal to a merge.', []],
    [
      'Examples',
      [
        'dispatch start',
        'dispatch goal "Build auth module" --watch',
        'dispatch reviews',
        'dispatch approve T-31',
        'dispatch logs A-7 -f',
      ],
    ],
    ['Usage', ['dispatch <command> [options]']],
    ['Commands', commands.map(({ name, summary }) => row(name, summary))],
    ['Everywhere', optionRows(GLOBAL_OPTIONS)],
  ]).concat('\nMore about one: dispatch help <command>\n')
}

function sections(parts: readonly [string, readonly string[]][]): string {
  return `${parts
    .filter(([title, lines]) => lines.length > 0 || title.endsWith('.'))
    .map(([title, lines]) =>
      lines.length > 0 ? `${title}:\n${lines.map((line) => `  ${line}`).join('\n')}` : title,
    )
    .join('\n\n')}\n`
}

function optionRows(options: Readonly<Record<string, OptionSpec>>): string[] {
  return Object.entries(options).map(([name, spec]) => {
    const extra = spec.mayHave ? `[=<${spec.mayHave}>]` : ''
    const value = spec.type === 'string' ? ` <${spec.value ?? name}>` : extra
    const short = spec.short ? `-${spec.short}, ` : ''
    return row(`${short}--${name}${value}`, withChoices(spec.help, spec.choices))
  })
}

const withChoices = (help: string, choices: readonly string[] | undefined) =>
  choices ? `${help}: ${choices.join(', ')}` : help

const row = (left: string, right: string) => `${padEnd(left, WIDTH)} ${right}`
