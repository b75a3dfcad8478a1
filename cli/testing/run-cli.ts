import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { processEnv } from '../../config/config.ts'
import { distDir } from '../../config/home.ts'

const CLI = join(distDir(), 'cli.cjs')

export interface CliOptions {
  env?: Record<string, string>
  cwd?: string
  /** The command line that it is run by. */
  under?: readonly string[]
  stdin?: string
  /** Descriptor of an open file in the place of a pipe. */
  stdinFile?: number
  stdoutFile?: number
}

export interface CliResult {
  code: number
  stdout: string
  stderr: string
}

const ENV = { PATH: processEnv()['PATH'] ?? '', HOME: '/nonexistent', TERM: 'xterm-256color' }

/** Runs the built CLI as a process of its own, with pipes. */
export function runCli(args: string[], options: CliOptions = {}): Promise<CliResult> {
  const child = startCli(args, options)
  child.stdin?.end(options.stdin ?? '')
  return result(child)
}

export function startCli(
  args: string[],
  { env = {}, cwd, under = [], stdinFile, stdoutFile }: CliOptions = {},
): ChildProcess {
  const stdio = [stdinFile ?? 'pipe', stdoutFile ?? 'pipe', 'pipe'] as const
  const [command, ...rest] = [...under, process.execPath, CLI, ...args] as [string, ...string[]]
  return spawn(command, rest, {
    cwd,
    env: { ...ENV, ...env },
    stdio: [...stdio],
  })
}

/** Runs it on a terminal of 100 columns; what the person would type is given at each question. Output is one stream. */
export function runOnTerminal(
  args: string[],
  options: CliOptions & { answer?: string } = {},
): Promise<CliResult> {
  const child = startOnTerminal(args, options)
  if (options.answer !== undefined) {
    const answer = options.answer
    child.stdout?.on('data', (data) => {
      if (String(data).includes('[y/N]')) child.stdin?.write(`${answer}\n`)
    })
  }
  return result(child)
}

/** A terminal around the CLI: python's pty, because `script` reads its own stdin to the end first. */
export function startOnTerminal(args: string[], { env = {}, cwd }: CliOptions = {}): ChildProcess {
  return spawn('python3', ['-c', PTY, process.execPath, CLI, ...args], {
    cwd,
    env: { ...ENV, ...env },
  })
}

const PTY = `
import fcntl, os, pty, select, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 100, 0, 0))
inputs = [fd, 0]
while True:
    ready, _, _ = select.select(inputs, [], [])
    if 0 in ready:
        data = os.read(0, 4096)
        if data: os.write(fd, data)
        else: inputs.remove(0)
    if fd in ready:
        try: data = os.read(fd, 4096)
        except OSError: break
        if not data: break
        os.write(1, data)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
`

export function result(child: ChildProcess): Promise<CliResult> {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (data) => {
    stdout += data
  })
  child.stderr?.on('data', (data) => {
    stderr += data
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
  })
}
