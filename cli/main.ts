import { isatty } from 'node:tty'
import { commands } from './commands.ts'
import { ctrlC } from './ctrl-c.ts'
import { runCli } from './run.ts'

/** Entry of `dispatch`: the only place that ends the process. */
const interrupted = new AbortController()
const terminals = [0, 1, 2].filter((fd) => isatty(fd))

process.on('SIGINT', ctrlC({ asks: () => interrupted.abort(), ends: () => process.exit(130) }))

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
  // Node gives a terminal its settings back, and aborts where it is gone
  if (terminals.some((fd) => !isatty(fd))) {
    process.removeAllListeners('SIGHUP')
    process.kill(process.pid, 'SIGHUP')
  }
  // an answer that nobody waits for any more must not keep it
  if (interrupted.signal.aborted) process.exit()
})
