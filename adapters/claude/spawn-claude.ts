import { EventEmitter } from 'node:events'
import { Readable, Writable } from 'node:stream'
import type { SpawnedProcess, SpawnOptions } from '@anthropic-ai/claude-agent-sdk'
import type { RunSpec } from '../../contracts/agent.ts'
import { type CliExit, type CliLine, type CliProcess, spawnCli } from '../cli-process.ts'

/** A tool's result or an image is one line. What is longer is dropped and told of. */
const MAX_LINE_BYTES = 8 * 1024 * 1024

export interface Claude {
  cli: CliProcess
  /** The same process in the shape that the SDK drives. */
  spawned: SpawnedProcess
}

export interface Overheard {
  stderr(text: string): void
  /** A stdout line that is no JSON object, or of which `dropped` bytes are missing: the SDK does not get it. */
  garbage(line: CliLine): void
}

/** Starts `claude` for the SDK through the one place that ends process trees. */
export function spawnClaude(
  options: SpawnOptions,
  { cwd, sandbox }: Pick<RunSpec, 'cwd' | 'sandbox'>,
  overheard: Overheard,
): Claude {
  const env = Object.entries(options.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  const cli = spawnCli({
    command: options.command,
    args: options.args,
    cwd: options.cwd ?? cwd,
    env: Object.fromEntries(env),
    sandbox,
    maxLineBytes: MAX_LINE_BYTES,
  })
  const stdout = Readable.from(jsonLines(cli, overheard), { objectMode: false })
  return { cli, spawned: new Spawned(cli, stdout) }
}

async function* jsonLines(cli: CliProcess, overheard: Overheard): AsyncGenerator<string> {
  for await (const line of cli.lines) {
    if (line.from === 'stderr') overheard.stderr(line.text)
    else if (line.dropped > 0 || !isJsonObject(line.text)) overheard.garbage(line)
    else yield `${line.text}\n`
  }
}

function isJsonObject(text: string): boolean {
  if (!text.startsWith('{')) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

class Spawned extends EventEmitter implements SpawnedProcess {
  readonly stdin: Writable
  readonly stdout: Readable
  killed = false
  exitCode: number | null = null
  signalCode: NodeJS.Signals | null = null
  readonly #cli: CliProcess

  constructor(cli: CliProcess, stdout: Readable) {
    super()
    this.#cli = cli
    this.stdin = lineWriter(cli)
    this.stdout = stdout
    void cli.exited.then((exit) => this.#ended(exit))
  }

  kill(): boolean {
    this.killed = true
    this.#cli.kill()
    return true
  }

  #ended({ code, signal, error }: CliExit): void {
    this.exitCode = code
    this.signalCode = signal
    if (error && this.listenerCount('error') > 0) this.emit('error', error)
    else this.emit('exit', code, signal)
  }
}

/** The SDK writes whole lines; what comes after the end is dropped like in a closed pipe. */
function lineWriter(cli: CliProcess): Writable {
  let rest = ''
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) cli.write(line)
      done()
    },
    final(done) {
      cli.closeInput()
      done()
    },
  })
}
