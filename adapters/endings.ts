import type { AgentEvent, TerminalEvent } from '../contracts/agent.ts'
import type { CliExit, CliProcess } from './cli-process.ts'

/** An interrupt has to end within 2 s: this long the agent may obey, then its tree is killed. */
export const INTERRUPT_GRACE_MS = 800

/** For a correction that comes after the end. */
export const TOO_LATE: AgentEvent = {
  type: 'notice',
  level: 'warn',
  text: 'The correction came too late: the agent had already ended.',
}

// How a session ends where its agent does not say it. `title`: the agent as a person knows it.

export const endByInterrupt = (title: string): TerminalEvent => ({
  type: 'failed',
  reason: 'interrupted',
  detail: `${title} was interrupted.`,
})

/** Who was asked to stop and failed then was stopped, whatever it says. */
export const endOf = (
  title: string,
  terminal: TerminalEvent,
  interrupted: boolean,
): TerminalEvent => (interrupted && terminal.type === 'failed' ? endByInterrupt(title) : terminal)

export const endBySilence = (title: string, waited: string): TerminalEvent => ({
  type: 'failed',
  reason: 'hung',
  detail: `${title} ${waited}.`,
})

export const adapterFailed = (error: unknown): TerminalEvent => ({
  type: 'failed',
  reason: 'crash',
  detail: `The adapter failed: ${String(error)}`,
})

/** The exit code alone lies (0 after an interrupt, 0 after a crash of a wrapper): no result is always a failure. */
export const endWithoutResult = (
  title: string,
  exit: CliExit,
  stderr: readonly string[],
): TerminalEvent => ({
  type: 'failed',
  reason: exit.error ? 'missing' : 'crash',
  detail: howItEnded(title, exit, stderr),
})

/** The program's end in words. */
export function howItEnded(
  title: string,
  { code, signal, error }: CliExit,
  stderr: readonly string[],
): string {
  if (error) return `${title} could not be started: ${error.message}`
  const how = signal ? `was ended by ${signal}` : `exited with code ${code ?? '?'}`
  return `${title} ${how} without giving a result.${lastWords(stderr)}`
}

export const lastWords = (stderr: readonly string[]): string =>
  stderr.length > 0 ? ` Its last words: ${stderr.slice(-5).join(' / ').slice(0, 2000)}` : ''

/** After its result a program gets a moment to write its session down; then the tree is ended. */
export async function letEnd(cli: CliProcess | undefined, graceMs: number): Promise<void> {
  if (!cli) return
  cli.closeInput()
  const timer = setTimeout(() => cli.kill(), graceMs)
  await cli.exited
  clearTimeout(timer)
}
