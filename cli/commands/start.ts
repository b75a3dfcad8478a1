import { defineCommand, type OptionSpec } from '../command.ts'
import { EXIT } from '../failure.ts'
import type { Io } from '../io.ts'
import type { Say } from '../supervisor/start-command.ts'

const PORT = {
  type: 'string',
  help: 'wanted port; another is chosen when it is in use (4400)',
} as const satisfies OptionSpec

export const start = defineCommand({
  name: 'start',
  summary: 'Start Dispatch and keep it running until Ctrl-C',
  prints: { fields: ['message'] },
  args: {},
  options: {
    port: PORT,
    'temporal-port': { type: 'string', value: 'port', help: 'wanted port of Temporal (7233)' },
    'no-ui': { type: 'boolean', help: 'serve no web UI' },
  },
  examples: ['dispatch start', 'dispatch start --port 5000 --home /srv/dispatch'],
  onHome: true,
  handlesInterrupt: true,
  // whoever reads along may leave, and its terminal or the disk of its output may go: the log has the same lines
  goesOnWithout: 'output',
  async run(options, { cwd, signal }, io) {
    const { startCommand } = await import('../supervisor/start-command.ts')
    return startCommand(
      {
        ...(options.home ? { home: options.home } : {}),
        ...(options.port ? { port: options.port } : {}),
        ...(options['temporal-port'] ? { temporalPort: options['temporal-port'] } : {}),
        ...{ ui: !options['no-ui'], cwd },
      },
      saying(io),
      signal,
    )
  },
})

/** One of our servers, for who brings Postgres and Temporal and starts each part by means of their own. */
const alone = (name: 'worker' | 'api', summary: string, options: Record<string, OptionSpec>) =>
  defineCommand({
    name,
    summary,
    prints: { fields: ['message'] },
    args: {},
    options,
    examples: [
      `DATABASE_URL=postgres://db.example.com/dispatch TEMPORAL_ADDRESS=temporal.example.com:7233 dispatch ${name}`,
    ],
    onHome: true,
    handlesInterrupt: true,
    goesOnWithout: 'output',
    async run({ home, port }, { cwd, signal }, io) {
      const { aloneCommand } = await import('../supervisor/alone-command.ts')
      const from = { ...(home ? { home } : {}), ...(port ? { port } : {}), cwd }
      return aloneCommand(name, from, { say: saying(io), interrupted: signal })
    },
  })

export const worker = alone(
  'worker',
  'Run a worker alone, on the Postgres and Temporal that you name',
  {},
)
export const api = alone(
  'api',
  'Run the API alone, with the web UI, on the Postgres and Temporal that you name',
  { port: PORT },
)

export const stop = defineCommand({
  name: 'stop',
  summary: 'Stop Dispatch; running agents go on',
  prints: { fields: ['message'] },
  args: {},
  options: {},
  examples: ['dispatch stop'],
  onHome: true,
  handlesInterrupt: true,
  goesOnWithout: 'output',
  async run({ home }, _deps, io) {
    const { stopCommand } = await import('../supervisor/stop-command.ts')
    await stopCommand(home ? { home } : {}, saying(io))
    return EXIT.ok
  },
})

/** Where the supervisor's lines go. With --json each is a document. */
const saying = (io: Io): Say => ({
  out(line) {
    if (io.json) io.document({ message: line }, { line: true })
    io.print(line)
  },
  err: (line) => io.note(line),
})
