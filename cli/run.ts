import {
  type Command,
  type Deps,
  type GlobalValues,
  globalOptions,
  type Values,
} from './command.ts'
import { createDeps } from './deps.ts'
import { addAdvice, CliFailure, EXIT, reportOf } from './failure.ts'
import { createIo, type Io } from './io.ts'
import { fieldsAsked } from './json-fields.ts'
import { parseCommandLine } from './parse.ts'

export interface CliProcess {
  argv: readonly string[]
  commands: readonly Command[]
  env: Record<string, string | undefined>
  cwd: () => string
  streams: Pick<typeof process, 'stdin' | 'stdout' | 'stderr'>
  /** Aborts on the first Ctrl-C. */
  signal: AbortSignal
  exit(code: number): never
}

/** Runs one command line and returns its exit code. Prints every failure; throws nothing. */
export async function runCli(cli: CliProcess): Promise<number> {
  const { argv, commands, env, streams, signal } = cli
  if (argv[0] === 'complete') {
    const { answerCompletion } = await import('./completion.ts')
    return answerCompletion({
      argv: argv.slice(1),
      commands,
      deps: depsOf(cli, {}, () => undefined),
    })
  }
  // Before anything is parsed, because a wrong command line must be reported in the form that was asked for.
  const said = before('--', argv)
  const fields = fieldsAsked(said)
  const json = fields !== undefined || said.includes('--json')
  let goesOnWithout: Command['goesOnWithout']
  const io = createIo({
    streams,
    env,
    json,
    noInput: said.includes('--no-input'),
    onClosed: () => (goesOnWithout ? undefined : cli.exit(EXIT.ok)),
    onUnwritable: (error) => {
      if (goesOnWithout === 'output') return
      io.failure(
        reportOf(
          new CliFailure('error', 'unwritable', `The output cannot be written: ${error.message}.`),
        ),
      )
      cli.exit(EXIT.error)
    },
  })
  try {
    const { command, values } = parseCommandLine(argv, commands)
    if (values['version']) return await printVersion(io)
    if (!command || values['help']) return await printHelp(command, commands, io)
    if (fields) await chooseFields(fields, command, io)
    goesOnWithout = command.goesOnWithout
    const work = command.run(values, depsOf(cli, values, io.note), io)
    if (command.handlesInterrupt) return await work
    return await Promise.race([work, interruption(cli)])
  } catch (error) {
    if (signal.aborted) return EXIT.interrupted
    const report = reportOf(error)
    const kept = await keepInput(io.input)
    if (kept) addAdvice(report, kept)
    io.failure(report)
    if (env['DISPATCH_DEBUG'] && !json) io.note(String((error as Error).stack))
    return report.exitCode
  }
}

/** The fields that there are cost zod, so only who asks for some pays for it. */
async function chooseFields(fields: readonly string[], command: Command, io: Io): Promise<void> {
  const { refuseOtherFields } = await import('./known-fields.ts')
  refuseOtherFields(command, fields)
  io.choose(fields)
}

/** What was read from stdin must not be lost with the answer that refused it. */
async function keepInput(bytes: Buffer): Promise<string | undefined> {
  return bytes.length === 0 ? undefined : (await import('./kept-input.ts')).keepInput(bytes)
}

function depsOf({ env, cwd, signal }: CliProcess, values: Values, note: Io['note']): Deps {
  const { home, url } = values as Partial<GlobalValues>
  return createDeps({ env, cwd: existing(cwd), signal, flags: { home, url }, note })
}

/** A folder can be deleted while a shell is in it. */
function existing(cwd: CliProcess['cwd']): string | undefined {
  try {
    return cwd()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Ends the process on Ctrl-C, however busy the command is. */
function interruption({ signal, exit }: CliProcess): Promise<never> {
  return new Promise((_resolve) => {
    signal.addEventListener('abort', () => exit(EXIT.interrupted))
  })
}

async function printVersion(io: Io): Promise<number> {
  const { packageVersion } = await import('../config/home.ts')
  const version = packageVersion()
  if (io.json) io.document({ version })
  io.print(`dispatch ${version}`)
  return EXIT.ok
}

async function printHelp(
  command: Command | undefined,
  commands: readonly Command[],
  io: Io,
): Promise<number> {
  const { commandHelp, programHelp } = await import('./help.ts')
  if (io.json) io.document(command ? described(command) : { commands: commands.map(described) })
  io.print((command ? commandHelp(command, commands) : programHelp(commands)).trimEnd())
  return EXIT.ok
}

function described(command: Command) {
  const { name, summary, args, options, examples } = command
  return { name, summary, args, options: { ...options, ...globalOptions(command) }, examples }
}

function before(end: string, argv: readonly string[]): readonly string[] {
  const at = argv.indexOf(end)
  return at === -1 ? argv : argv.slice(0, at)
}
