import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AgentSession } from '../../adapters/adapter.ts'
import { killUntilGone, RUN_ID_VARIABLE, taggedProcesses } from '../../adapters/process-tree.ts'
import { openSession } from '../../adapters/registry.ts'
import type { AgentEvent, RunSpec, TerminalEvent } from '../../contracts/agent.ts'
import type { ModelServer } from '../model-server/model-server.ts'

/** One agent run of a test: its own home, its own temp folder, nothing of the caller's, all its traffic on loopback. */
export interface Stage {
  spec: RunSpec
  /** The working folder. */
  cwd: string
  /** Plays the run to its end; `look` sees each event as it comes. */
  play(look?: (event: AgentEvent, session: AgentSession) => void): Promise<Played>
  /** The same session, one run later. */
  resume(more?: Partial<RunSpec>): Promise<Played>
  /** Processes of the run that are alive. */
  processes(): { pid: number }[]
  killer: AbortController
  remove(): void
}

export interface Played {
  events: AgentEvent[]
  terminal: TerminalEvent
}

/** `scenario`: of the model server; the run's id there is `spec.runId`. */
export function setStage(
  model: ModelServer,
  scenario: string,
  { binary, ...more }: Partial<RunSpec> & { binary: string },
): Stage {
  const home = mkdtempSync(join(tmpdir(), 'dispatch-agent-'))
  const cwd = join(home, 'work')
  for (const folder of [cwd, join(home, 'tmp')]) mkdirSync(folder)
  const runId = randomUUID()
  const spec: RunSpec = {
    runId,
    adapter: 'claude',
    binary,
    cwd,
    prompt: 'Do what is to be done.',
    access: 'write',
    newSessionId: randomUUID(),
    outputSchema: { type: 'object', properties: { answer: { type: 'number' } } },
    env: {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: home,
      TMPDIR: join(home, 'tmp'),
      ANTHROPIC_BASE_URL: model.url(scenario, runId),
      ANTHROPIC_API_KEY: 'sk-ant-fake',
      [RUN_ID_VARIABLE]: runId,
    },
    silenceSeconds: 60,
    leaseSeconds: 60,
    ...more,
  }
  const killer = new AbortController()
  const processes = () => taggedProcesses().filter((found) => found.runId === runId)
  const play = async (
    given: RunSpec,
    look: (event: AgentEvent, session: AgentSession) => void = () => undefined,
  ): Promise<Played> => {
    const session = await openSession(given, { signal: killer.signal })
    const events: AgentEvent[] = []
    for await (const event of session.events) {
      events.push(event)
      look(event, session)
    }
    const terminal = events.at(-1)
    if (terminal?.type !== 'done' && terminal?.type !== 'failed')
      throw new Error(`the stream ended with ${JSON.stringify(terminal)}`)
    return { events, terminal }
  }
  return {
    spec,
    cwd,
    killer,
    processes,
    play: (look) => play(spec, look),
    resume: (again = {}) => play({ ...spec, resumeSessionId: spec.newSessionId, ...again }),
    remove() {
      killer.abort()
      killUntilGone(() => taggedProcesses().filter((found) => found.runId === runId))
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** The events of one type. */
export const of = <T extends AgentEvent['type']>({ events }: Played, type: T) =>
  events.filter((event): event is AgentEvent & { type: T } => event.type === type)
export const usageOf = (played: Played) => of(played, 'usage').at(-1)?.usage
export const sessionOf = (played: Played) => of(played, 'session').at(-1)?.sessionId ?? ''
export const statesOf = (played: Played) => of(played, 'correction').map(({ state }) => state)
