import { defineCommand } from '../command.ts'
import { CliFailure, EXIT, type ExitName } from '../failure.ts'
import type { Io } from '../io.ts'

export const start = defineCommand({
  name: 'start',
  summary: 'Start Dispatch and keep it running until Ctrl-C',
  args: {},
  options: {
    port: { type: 'string', help: 'wanted port; another is chosen when it is in use (4400)' },
    'temporal-port': { type: 'string', value: 'port', help: 'wanted port of Temporal (7233)' },
    'no-ui': { type: 'boolean', help: 'serve no web UI' },
  },
  examples: ['dispatch start', 'dispatch start --port 5000 --home /srv/dispatch'],
  onHome: true,
  handlesInterrupt: true,
  async run(options, _deps, io) {
    const { startCommand } = await import('../supervisor/start-command.ts')
    return reported(io, (say) =>
      startCommand(
        {
          ...(options.home ? { home: options.home } : {}),
          ...(options.port ? { port: options.port } : {}),
          ...(options['temporal-port'] ? { temporalPort: options['temporal-port'] } : {}),
          ui: !options['no-ui'],
        },
        say,
      ),
    )
  },
})

export const stop = defineCommand({
  name: 'stop',
  summary: 'Stop Dispatch; running agents go on',
  args: {},
  options: {},
  examples: ['dispatch stop'],
  onHome: true,
  handlesInterrupt: true,
  async run({ home }, _deps, io) {
    const { stopCommand } = await import('../supervisor/stop-command.ts')
    return reported(io, (say) => stopCommand(home ? { home } : {}, say))
  },
})

interface Say {
  out(line: string): void
  err(line: string): void
}

/** The supervisor talks in lines; with --json each is a document, and the last error is the problem. */
async function reported(io: Io, work: (say: Say) => Promise<number>): Promise<number> {
  let lastError = ''
  const code = await work({
    out(line) {
      if (io.json) io.document({ message: line }, { line: true })
      io.print(line)
    },
    err(line) {
      lastError = line
      io.note(line)
    },
  })
  if (io.json && code !== EXIT.ok && lastError)
    throw new CliFailure(exitName(code), 'supervisor', lastError)
  return code
}

function exitName(code: number): ExitName {
  const names = Object.keys(EXIT) as ExitName[]
  return names.find((name) => EXIT[name] === code) ?? 'error'
}
