import { commands } from './commands.ts'
import { runCli } from './run.ts'

/** Entry of `dispatch`: the only place that ends the process. */
const interrupted = new AbortController()
let signals = 0

process.on('SIGINT', () => {
  signals += 1
  if (signals > 1) process.exit(130)
  interrupted.abort()
})

void runCli({
  argv: process.argv.slice(2),
  commands,
  env: process.env,
  cwd: process.cwd,
  streams: process,
  signal: interrupted.signal,
  exit: (code) => process.exit(code),
}).then((code) => {
  process.exitCode = code
  // an answer that nobody waits for any more must not keep it
  if (interrupted.signal.aborted) process.exit()
})
