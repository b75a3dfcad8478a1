import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AgentEvent, RunSpec, TerminalEvent, Usage } from '../contracts/agent.ts'
import { atThisPace } from '../test/support/pace.ts'
import type { Adapter, AgentSession } from './adapter.ts'
import { killUntilGone, RUN_ID_VARIABLE, taggedProcesses } from './process-tree.ts'

/** What the agent under test has to be made to do; how is the adapter's business (a script, a scripted model server). */
export type Scenario =
  | 'answer' // streams text, reports usage, gives the structured answer
  | 'write-file' // writes a file in cwd with a tool
  | 'slow' // streams text for at least 5 s, with pauses
  | 'ignore-signals' // the same, and ignores SIGINT and SIGTERM
  | 'crash' // ends by SIGKILL in the middle
  | 'exit-without-result' // exit 0, no result
  | 'hang' // says nothing after its session id
  | 'garbage' // prints lines that are not its format, bytes that are not UTF-8, then answers
  | 'long-line' // one line of 50 MB, then answers
  | 'flood' // 50 MB of text, then answers
  | 'leave-child' // leaves a child in a session of its own that holds stdout open, then answers
  | 'environment' // prints its whole environment as text, then answers
  | 'not-logged-in'

export interface ConformanceOptions {
  makeAdapter(): Adapter
  /** The parts of the spec that make the agent play a scenario (prompt, env, binary). */
  play(scenario: Scenario, base: RunSpec): Partial<RunSpec>
  /** The scenarios that cannot be played, and why: their tests are skipped with these words. */
  cannot?: Partial<Record<Scenario, string>>
  /** Names of variables that the agent itself gives to what it starts. */
  sets?: RegExp
}

/** Every adapter must pass this. Real processes, a folder and an environment of their own, nothing inherited. */
export function adapterConformance(
  name: string,
  { makeAdapter, play, sets, cannot = {} }: ConformanceOptions,
): void {
  describe(`Conformance of ${name}`, () => {
    let home: string
    let runId: string
    let killer: AbortController

    beforeEach(() => {
      home = mkdtempSync(join(tmpdir(), 'dispatch-adapter-'))
      mkdirSync(join(home, 'work'))
      mkdirSync(join(home, 'tmp'))
      runId = randomUUID()
      killer = new AbortController()
    })
    afterEach(() => {
      killer.abort()
      killUntilGone(tagged)
      rmSync(home, { recursive: true, force: true })
    })

    const tagged = () => taggedProcesses().filter((found) => found.runId === runId)
    const specOf = (scenario: Scenario, more: Partial<RunSpec> = {}): RunSpec => {
      const base: RunSpec = {
        runId,
        adapter: name,
        cwd: join(home, 'work'),
        prompt: 'Answer.',
        access: 'write',
        newSessionId: randomUUID(),
        outputSchema: { type: 'object' },
        env: {
          PATH: '/usr/local/bin:/usr/bin:/bin',
          HOME: home,
          TMPDIR: join(home, 'tmp'),
          CONFORMANCE_TOKEN: 'conformance-secret-value',
          [RUN_ID_VARIABLE]: runId,
        },
        silenceSeconds: 60,
        leaseSeconds: 60,
      }
      return { ...base, ...play(scenario, base), ...more }
    }
    const playable = (scenario: Scenario) => (title: string, body: () => Promise<void>) =>
      test(title, ({ skip }) => {
        skip(cannot[scenario] !== undefined, cannot[scenario])
        return body()
      })
    const start = (scenario: Scenario) =>
      makeAdapter().start(specOf(scenario), { signal: killer.signal })

    test('text, usage and the structured answer; the session id comes first', async () => {
      const spec = specOf('answer')
      const { events, terminal } = await playOut(
        makeAdapter().start(spec, { signal: killer.signal }),
      )
      expect(events[0]).toMatchObject({ type: 'session', sessionId: expect.any(String) })
      expect(textOf(events)).not.toBe('')
      expect(terminal).toMatchObject({ type: 'done', output: expect.any(Object) })
      expectGrowing(usagesOf(events))
    })

    test('a tool call has its result, and the file is really there', async () => {
      const { events } = await playOut(start('write-file'))
      const calls = events.flatMap((event) => (event.type === 'tool' ? [event.callId] : []))
      const results = events.flatMap((e) => (e.type === 'tool_result' ? [e.callId] : []))
      expect(calls.length).toBeGreaterThan(0)
      expect(results.toSorted()).toEqual(calls.toSorted())
      expect(readdirSync(join(home, 'work')).length).toBeGreaterThan(0)
      for (const event of events)
        if (event.type === 'file' && event.change !== 'delete')
          expect(existsSync(join(home, 'work', event.path))).toBe(true)
    })

    test('resume keeps the session', async () => {
      const adapter = makeAdapter()
      const spec = specOf('answer')
      const first = await playOut(adapter.start(spec, { signal: killer.signal }))
      const resumeSessionId = sessionOf(first.events) ?? ''
      const again = await playOut(
        adapter.resume({ ...spec, resumeSessionId }, { signal: killer.signal }),
      )
      expect(sessionOf(again.events)).toBe(resumeSessionId)
      expect(again.terminal.type).toBe('done')
    })

    test('a session that nobody knows is a failure, not a new session', async () => {
      const spec = { ...specOf('answer'), resumeSessionId: randomUUID() }
      const { terminal } = await playOut(makeAdapter().resume(spec, { signal: killer.signal }))
      expect(terminal.type).toBe('failed')
    })

    for (const when of ['while it works', 'before it has begun'])
      test(`a correction that comes ${when} is queued, delivered, applied`, async () => {
        const session = start('slow')
        const states: string[] = []
        const correct = () => {
          states.push('sent')
          session.correct({ id: 'c-1', text: 'use tabs' })
        }
        if (when === 'before it has begun') correct()
        await playOut(session, (event) => {
          if (event.type === 'text' && states.length === 0) correct()
          if (event.type !== 'correction') return
          states.push(event.state)
          if (event.state === 'applied') session.interrupt()
        })
        expect(states).toEqual(['sent', 'queued', 'delivered', 'applied'])
      })

    for (const how of ['slow', 'ignore-signals'] as const)
      playable(how)(`an interrupt ends "${how}" in 2 s`, async () => {
        const session = start(how)
        let asked = 0
        const { terminal } = await playOut(session, (event) => {
          if (event.type !== 'text' || asked > 0) return
          asked = performance.now()
          session.interrupt()
        })
        expect(terminal).toMatchObject({ type: 'failed', reason: 'interrupted' })
        expect(performance.now() - asked).toBeLessThan(atThisPace(2000))
        expect(tagged()).toEqual([])
      })

    test('an agent that hangs can be killed', async () => {
      const { terminal } = await playOut(start('hang'), (event) => {
        if (event.type === 'session') killer.abort()
      })
      expect(terminal).toMatchObject({ type: 'failed', reason: 'interrupted' })
      expect(tagged()).toEqual([])
    })

    for (const how of ['crash', 'exit-without-result'] as const)
      playable(how)(`"${how}" is a crash`, async () => {
        const { terminal } = await playOut(start(how))
        expect(terminal).toMatchObject({ type: 'failed', reason: 'crash' })
      })

    test('an agent that is not logged in says so', async () => {
      const { terminal } = await playOut(start('not-logged-in'))
      expect(terminal).toMatchObject({ type: 'failed', reason: 'auth' })
    })

    playable('garbage')('garbage is kept as notices and harms nothing', async () => {
      const { events, terminal } = await playOut(start('garbage'))
      expect(terminal.type).toBe('done')
      expect(events.some((event) => event.type === 'notice')).toBe(true)
    })

    for (const how of ['long-line', 'flood'] as const)
      playable(how)(`"${how}" of 50 MB: memory stays flat`, async () => {
        const before = process.memoryUsage().rss
        let characters = 0
        let peak = 0
        const session = start(how)
        for await (const event of session.events) {
          if (event.type === 'text') characters += event.text.length
          peak = Math.max(peak, process.memoryUsage().rss)
          if (isTerminal(event)) expect(event.type).toBe('done')
        }
        if (how === 'flood') expect(characters).toBeGreaterThan(49 * 1024 * 1024)
        expect((peak - before) / 1024 / 1024).toBeLessThan(250)
      })

    playable('leave-child')('children left behind are reaped before the end', async () => {
      const { terminal } = await playOut(start('leave-child'))
      expect(terminal.type).toBe('done')
      expect(tagged()).toEqual([])
    })

    playable('environment')(
      'the environment is the one of the spec, and no secret is on a command line',
      async () => {
        const spec = specOf('environment')
        const commandLines: string[] = []
        const session = makeAdapter().start(spec, { signal: killer.signal })
        const { events } = await playOut(session, () => {
          for (const { pid } of tagged()) commandLines.push(commandLineOf(pid))
        })
        const names = [...textOf(events).matchAll(/^([A-Za-z_]\w*)=/gm)].map((match) => match[1])
        // A shell that runs the command adds these.
        const known = [...Object.keys(spec.env), 'PWD', 'OLDPWD', '_', 'SHLVL']
        const surplus = names.filter((variable = '') => !known.includes(variable))
        expect(surplus.filter((variable = '') => !sets?.test(variable))).toEqual([])
        expect(names).toContain('CONFORMANCE_TOKEN')
        expect(commandLines.join('\n')).not.toContain('conformance-secret-value')
      },
    )

    test('a program that is not there is "missing"', async () => {
      const spec = specOf('answer', { cwd: join(home, 'nowhere') })
      const { terminal } = await playOut(makeAdapter().start(spec, { signal: killer.signal }))
      expect(terminal).toMatchObject({ type: 'failed', reason: 'missing' })
    })

    test('detection costs nothing and names the agent', async () => {
      expect(await makeAdapter().detect({ env: {} })).toMatchObject({ adapter: name })
    })
  })
}

/** Reads a session to its end and checks what holds for every stream: exactly one terminal event, the last one. */
async function playOut(
  session: AgentSession,
  look: (event: AgentEvent) => void = () => undefined,
): Promise<{ events: AgentEvent[]; terminal: TerminalEvent }> {
  const events: AgentEvent[] = []
  for await (const event of session.events) {
    events.push(event)
    look(event)
  }
  const terminals = events.filter(isTerminal)
  expect(terminals).toHaveLength(1)
  const [terminal] = terminals
  expect(events.at(-1)).toBe(terminal)
  if (!terminal) throw new Error('unreachable: checked above')
  return { events, terminal }
}

const isTerminal = (event: AgentEvent): event is TerminalEvent =>
  event.type === 'done' || event.type === 'failed'
const textOf = (events: AgentEvent[]) =>
  events.map((event) => (event.type === 'text' ? event.text : '')).join('')
const sessionOf = (events: AgentEvent[]) =>
  events.find((event) => event.type === 'session')?.sessionId
const usagesOf = (events: AgentEvent[]) =>
  events.flatMap((event) => (event.type === 'usage' ? [event.usage] : []))

/** Usage is cumulative within a run: no number ever shrinks. */
function expectGrowing(usages: Usage[]): void {
  expect(usages.length).toBeGreaterThan(0)
  for (const [index, usage] of usages.entries())
    for (const key of Object.keys(usage) as (keyof Usage)[])
      expect(usage[key]).toBeGreaterThanOrEqual(usages[index - 1]?.[key] ?? 0)
}

function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    // It has ended meanwhile.
    return ''
  }
}
