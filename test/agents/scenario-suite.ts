import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { signal } from '../../adapters/process-tree.ts'
import type { RunSpec, TerminalEvent } from '../../contracts/agent.ts'
import type { ModelServer } from '../model-server/model-server.ts'
import type { RecordedRequest, Step } from '../model-server/step.ts'
import { atThisPace } from '../support/pace.ts'
import { until } from '../support/until.ts'
import { castOf } from './cast-of.ts'
import type { Driver } from './drivers.ts'
import { of, type Stage, sessionOf, statesOf, usageOf } from './play.ts'
import { FAILURES, SCENARIO_NAMES, type ScenarioName } from './scenarios.ts'
import { isWholeMatrix } from './whole-matrix.ts'

/** What one scenario is played with. */
interface Play {
  driver: Driver
  model: ModelServer
  stage(scenario: string, more?: Partial<RunSpec>): Stage
}

/** Played by `npm test` too: enough to see that nothing is broken. */
const CORE: readonly ScenarioName[] = [
  'writes a file and answers, counted to the token',
  'may only read: cannot write, by tools or by the shell',
  'killed by SIGKILL, it goes on with what was said, counted once',
  'a correction is in the very next request to the model',
  'interrupted with a tool at work, it ends under 2 s',
]

/** Plays all scenarios with the real program against the scripted model; in `npm test` only the core of them. */
export function scenariosOf(driver: Driver): void {
  const cast = castOf(driver)
  describe.concurrent(`${driver.title}`, () => {
    for (const name of SCENARIO_NAMES) {
      if (driver.cannot[name] !== undefined) continue
      if (!isWholeMatrix && !CORE.includes(name) && !driver.daily?.includes(name)) continue
      test(name, () => PLAYS[name]({ driver, model: cast.model, stage: cast.stage }))
    }
  })
}

const has = ({ said }: RecordedRequest, words: string) =>
  said.some(({ text }) => text.includes(words))
const bash = (command: string): Step => ({
  ...{ do: 'call', tool: 'Bash' },
  input: { command, description: 'as scripted' },
})
/** Holds the shell, and leaves a child in a session of its own. */
const HOLD = `setsid node -e "setTimeout(() => {}, 600000)" & node -e "setTimeout(() => {}, 30000)"`

const NOTE = 'noted by a run before this one'
/** Has it remember an earlier run, if it can. */
function noteBefore({ spec, cwd }: Stage, { remembering }: Driver): void {
  for (const [name, text] of Object.entries(remembering?.(cwd, NOTE) ?? {})) {
    const path = join(spec.env['HOME'] ?? '', name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
}

/** In an hour, as the provider said, or not at all: a driver has to say why. */
function tellsEnd({ hidesEndOfLimit }: Driver, terminal: TerminalEvent): void {
  if (hidesEndOfLimit) {
    expect(terminal).not.toHaveProperty('until')
    return
  }
  const until = 'until' in terminal ? Date.parse(terminal.until ?? '') : 0
  expect(Math.abs(until - Date.now() - 3_600_000)).toBeLessThan(60_000)
}

const failures = Object.fromEntries(
  FAILURES.map(([name, scenario, reason]) => [
    name,
    async ({ driver, model, stage }: Play) => {
      const at = stage(scenario === 'refused' ? 'answer' : scenario, {
        silenceSeconds: reason === 'hung' ? driver.silenceSeconds : 60,
      })
      if (scenario === 'refused') driver.leadAstray(at)
      const { terminal } = await at.play()
      expect(terminal).toMatchObject({ type: 'failed', reason: driver.reasons?.[name] ?? reason })
      expect(terminal).toHaveProperty('detail', expect.stringMatching(/\w{4}/))
      if (scenario === '429-long') tellsEnd(driver, terminal)
      expect(model.requests(at.spec.runId).length).toBeLessThan(10)
      expect(at.processes()).toEqual([])
    },
  ]),
)

const PLAYS: Readonly<Record<ScenarioName, (play: Play) => Promise<void>>> = {
  ...(failures as Record<(typeof FAILURES)[number][0], (play: Play) => Promise<void>>),

  async 'writes a file and answers, counted to the token'({ driver, model, stage }) {
    const at = stage('write-file')
    noteBefore(at, driver)
    const played = await at.play()
    expect(played.terminal).toMatchObject({ type: 'done', output: { answer: 42 } })
    expect(readFileSync(join(at.cwd, 'hello.txt'), 'utf8')).toBe('hello\n')
    expect(of(played, 'file')).toEqual([{ type: 'file', path: 'hello.txt', change: 'create' }])
    expect(usageOf(played)).toMatchObject(driver.counts(model.charged(at.spec.runId)))
    const requests = model.requests(at.spec.runId)
    expect(requests[0]?.tools.toSorted()).toEqual(driver.offers ?? expect.anything())
    expect(requests.filter((request) => JSON.stringify(request).includes(NOTE))).toHaveLength(0)
  },

  async 'answers in the asked shape'({ model, stage }) {
    const at = stage('answer', {
      outputSchema: {
        ...{ type: 'object', additionalProperties: false },
        properties: { asked_for_by_this_name: { type: 'string' } },
        required: ['asked_for_by_this_name'],
      },
    })
    const output = { asked_for_by_this_name: 'this' }
    model.script(at.spec.runId, [{ do: 'answer', output }])
    expect((await at.play()).terminal).toMatchObject({ type: 'done', output })
    const [request] = model.requests(at.spec.runId)
    expect(JSON.stringify(request?.body)).toContain('asked_for_by_this_name')
  },

  async 'may only read: cannot write, by tools or by the shell'({ model, stage }) {
    const at = stage('read-only', { access: 'read' })
    execFileSync('git', ['init', '-q'], { cwd: at.cwd })
    const identity = ['-c', 'user.name=T', '-c', 'user.email=t@localhost']
    const commit = ['commit', '-q', '--allow-empty', '-m', 'one commit']
    execFileSync('git', [...identity, ...commit], { cwd: at.cwd })
    const played = await at.play()
    expect(played.terminal.type).toBe('done')
    const results = of(played, 'tool_result')
    expect(results.map(({ ok }) => ok)).toEqual([false, false, true])
    expect(results.at(-1)?.output).toContain('one commit')
    expect(readdirSync(at.cwd)).toEqual(['.git'])
    expect(model.requests(at.spec.runId).length).toBe(4)
  },

  async 'streams its text'({ model, stage }) {
    const at = stage('answer')
    const text = Array.from({ length: 20 }, (_, n) => `Of ${n} the square is ${n * n}. `).join('')
    model.script(at.spec.runId, [
      { do: 'say', text, pieces: 40, everyMs: 20 },
      { do: 'answer', output: { answer: 42 } },
    ])
    const seen: number[] = []
    const played = await at.play(({ type }) => {
      if (type === 'text') seen.push(performance.now())
    })
    const said = of(played, 'text').map((event) => event.text)
    expect(said.join('')).toContain(text.trim())
    expect(said.length).toBeGreaterThan(8)
    expect((seen.at(-1) ?? 0) - (seen[0] ?? 0)).toBeGreaterThan(300)
  },

  async 'its session is known before the model is asked'({ model, stage }) {
    const at = stage('answer')
    const asked: number[] = []
    await at.play(({ type }) => {
      if (type === 'session') asked.push(model.requests(at.spec.runId).length)
    })
    expect(asked[0]).toBe(0)
    expect(model.requests(at.spec.runId).length).toBeGreaterThan(0)
  },

  async 'killed by SIGKILL, it goes on with what was said, counted once'({ driver, model, stage }) {
    const at = stage('three-tools')
    let tools = 0
    const killed = await at.play(({ type }) => {
      if (type === 'tool') tools += 1
      if (tools === 2) for (const { pid } of at.processes()) signal(pid, 'SIGKILL')
    })
    expect(killed.terminal).toMatchObject({ type: 'failed', reason: 'crash' })
    await model.quiet(at.spec.runId)
    const before = { ...model.charged(at.spec.runId) }
    const resumed = await at.resume({ resumeSessionId: sessionOf(killed), prompt: 'Go on.' })
    expect(resumed.terminal.type).toBe('done')
    expect(sessionOf(resumed)).toBe(sessionOf(killed))
    const last = model
      .requests(at.spec.runId)
      .at(-1)
      ?.said.map(({ text }) => text)
    expect(last).toContain(driver.tools.shell)
    expect(last?.join()).toContain('Go on.')
    const { input, output, cacheRead, cacheWrite } = model.charged(at.spec.runId)
    const since = {
      input: input - before.input,
      output: output - before.output,
      cacheRead: cacheRead - before.cacheRead,
      cacheWrite: cacheWrite - before.cacheWrite,
    }
    expect(usageOf(resumed)).toMatchObject(driver.counts(since))
  },

  async 'paused and resumed in the same session'({ driver, model, stage }) {
    const at = stage('three-tools')
    let tools = 0
    const paused = await at.play(({ type }, session) => {
      if (type === 'tool') tools += 1
      if (type === 'tool' && tools === 2) session.interrupt()
    })
    expect(paused.terminal).toMatchObject({ type: 'failed', reason: 'interrupted' })
    const resumed = await at.resume({ resumeSessionId: sessionOf(paused), prompt: 'Go on.' })
    expect(resumed.terminal.type).toBe('done')
    expect(sessionOf(resumed)).toBe(sessionOf(paused))
    const last = model
      .requests(at.spec.runId)
      .at(-1)
      ?.said.map(({ text }) => text)
    expect(last).toContain(driver.tools.shell)
  },

  async 'a session that it does not know is told as such'({ stage }) {
    const { terminal } = await stage('answer').resume()
    expect(terminal).toMatchObject({ type: 'failed', reason: 'session' })
  },

  async 'a correction is in the very next request to the model'({ model, stage }) {
    const at = stage('three-tools')
    // the first tool outlasts the way of the correction, however busy the machine is
    model.script(at.spec.runId, [
      bash('node -e "setTimeout(() => {}, 3000)"'),
      bash('echo two'),
      { do: 'answer', output: { answer: 42 } },
    ])
    let before = -1
    const played = await at.play((event, session) => {
      if (event.type !== 'tool' || before >= 0) return
      before = model.requests(at.spec.runId).length
      session.correct({ id: 'c-1', text: 'Use tabs.' })
    })
    expect(played.terminal.type).toBe('done')
    const told = model.requests(at.spec.runId).map((request) => has(request, 'Use tabs.'))
    expect(told.indexOf(true)).toBe(before)
    expect(statesOf(played)).toEqual(['queued', 'delivered', 'applied'])
  },

  async 'interrupted with a tool at work, it ends under 2 s'({ model, stage }) {
    const at = stage('leave-child')
    model.script(at.spec.runId, [bash(HOLD)])
    let asked = 0
    const { terminal } = await at.play(({ type }, session) => {
      if (type !== 'tool' || asked > 0) return
      asked = performance.now()
      session.interrupt()
    })
    expect(terminal).toMatchObject({ type: 'failed', reason: 'interrupted' })
    expect(performance.now() - asked).toBeLessThan(atThisPace(2000))
    expect(at.processes()).toEqual([])
  },

  async 'killed, its shell and what that left behind are gone'({ model, stage }) {
    const at = stage('leave-child')
    const mark = join(at.cwd, 'started')
    model.script(at.spec.runId, [bash(`touch '${mark}'; ${HOLD}`)])
    let seen = 0
    const playing = at.play(({ type }) => {
      if (type === 'session') seen = at.processes().length
    })
    await until(() => existsSync(mark), { ms: 60_000, what: 'the shell at work' })
    const before = at.processes().length
    at.killer.abort()
    expect((await playing).terminal).toMatchObject({ type: 'failed', reason: 'interrupted' })
    expect(before).toBeGreaterThan(seen)
    expect(at.processes()).toEqual([])
  },

  async 'a conversation that was shortened is told'({ driver, model, stage }) {
    const at = stage('compaction')
    const played = await driver.compacted(at, model)
    expect(played.terminal.type).toBe('done')
    expect(of(played, 'compaction')[0]).toMatchObject({ trigger: 'auto' })
    expect(model.requests(at.spec.runId).some(({ kind }) => kind === 'compaction')).toBe(true)
  },

  async 'a loop is told, and is no success'({ model, stage }) {
    const at = stage('loop')
    const { terminal } = await at.play()
    const detail = expect.stringContaining('Loop detected')
    expect(terminal).toMatchObject({ type: 'failed', reason: 'loop', detail })
    expect(model.requests(at.spec.runId).length).toBeLessThan(20)
    expect(at.processes()).toEqual([])
  },

  async '429 with a short wait passes by itself'({ driver, stage }) {
    const played = await stage('429').play()
    expect(played.terminal.type).toBe('done')
    if (driver.tellsRetries) expect(of(played, 'retry').length).toBeGreaterThan(0)
  },

  async '500 once passes by itself'({ stage }) {
    expect((await stage('500-once').play()).terminal.type).toBe('done')
  },
}
