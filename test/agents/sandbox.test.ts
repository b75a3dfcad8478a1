import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signal } from '../../adapters/process-tree.ts'
import { sandboxProblem } from '../../adapters/sandbox/probe.ts'
import type { AgentEvent, RunSpec, Sandbox } from '../../contracts/agent.ts'
import { type ModelServer, startModelServer } from '../model-server/model-server.ts'
import { atThisPace } from '../support/pace.ts'
import { DRIVERS, type Driver, type Installed } from './drivers.ts'
import { ELSEWHERE } from './elsewhere.ts'
import { of, type Played, type Stage } from './play.ts'
import { isWholeMatrix } from './whole-matrix.ts'

const problem = await sandboxProblem()
const where = problem ? `in a sandbox (not tried: ${problem})` : 'in a sandbox'

let model: ModelServer
const stages: Stage[] = []
beforeAll(async () => {
  model = await startModelServer()
})
afterAll(async () => {
  for (const each of stages) each.remove()
  await model?.close()
})

/** In `npm test` one agent stands for all. */
const played = DRIVERS.filter((driver) => isWholeMatrix || driver.name === 'claude')

describe.skipIf(problem !== undefined).each(played)(`$name ${where}`, (driver) => {
  let installed: Installed
  beforeAll(async () => {
    installed = await driver.install()
  }, 600_000)

  function shutIn(scenario: string, more: Partial<RunSpec> = {}): Stage {
    const at = driver.stage(model, scenario, { binary: installed.binary, ...more })
    Object.assign(at.spec.env, installed.env)
    stages.push(at)
    at.spec.sandbox = sandboxFor(driver, at, installed)
    return at
  }

  test('it works with its model, and goes on with its session', async () => {
    const at = shutIn('write-file')
    const first = await at.play()
    expect(first.terminal).toMatchObject({ type: 'done' })
    expect(readFileSync(join(at.cwd, 'hello.txt'), 'utf8')).toBe('hello\n')
    const resumeSessionId = sessionOf(first)
    const before = model.requests(at.spec.runId).length
    const second = await at.resume({ resumeSessionId, prompt: 'Go on.' })
    expect(second.terminal).toMatchObject({ type: 'done' })
    const [request] = model.requests(at.spec.runId).slice(before)
    expect(JSON.stringify(request)).toContain(driver.tools.write)
  })

  test('its shell sees no key of the person and reaches no other server of this machine', async () => {
    const at = shutIn('write-file')
    const home = at.spec.env['HOME'] ?? ''
    mkdirSync(join(home, '.ssh'))
    writeFileSync(join(home, '.ssh', 'id_ed25519'), 'a private key')
    const other = await startModelServer()
    const tries = `cat ~/.ssh/id_ed25519; ls -a ~/.ssh; curl -sS -m 3 ${other.url('answer', 'x')}; echo x > ../outside.txt; echo done > inside.txt`
    writeFileSync(join(at.cwd, 'try.sh'), tries)
    const command = 'sh try.sh'
    model.script(at.spec.runId, [
      { do: 'call', tool: 'Bash', input: { command, description: 'try' } },
      { do: 'answer', output: { answer: 42 } },
    ])
    const { events, terminal } = await at.play()
    await other.close()
    expect(terminal).toMatchObject({ type: 'done' })
    expect(JSON.stringify(events)).not.toContain('private key')
    expect(JSON.stringify(model.requests(at.spec.runId))).not.toContain('private key')
    expect(existsSync(join(at.cwd, 'inside.txt'))).toBe(true)
    expect(existsSync(join(home, 'outside.txt'))).toBe(false)
    expect(other.requests('x')).toEqual([])
  })

  test('killed at work, it goes on with what was said', async () => {
    const at = shutIn('three-tools')
    let tools = 0
    const killed = await at.play(({ type }) => {
      if (type === 'tool') tools += 1
      if (tools === 2) for (const { pid } of at.processes()) signal(pid, 'SIGKILL')
    })
    expect(killed.terminal).toMatchObject({ type: 'failed', reason: 'crash' })
    const resumeSessionId = sessionOf(killed)
    const resumed = await at.resume({ resumeSessionId, prompt: 'Go on.' })
    expect(resumed.terminal).toMatchObject({ type: 'done' })
    expect(sessionOf(resumed)).toBe(resumeSessionId)
    const last = JSON.stringify(model.requests(at.spec.runId).at(-1))
    expect(last).toContain(driver.tools.shell)
    expect(last).toContain('Go on.')
  })

  test('its shell sees the sessions of its own folder, and of no other', async () => {
    const at = shutIn('write-file')
    const home = at.spec.env['HOME'] ?? ''
    const others = ELSEWHERE[driver.name]?.map((path) => join(home, path)) ?? []
    for (const path of others) {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, '{"words": "of another project"}')
    }
    const tries = [
      'cd; grep -rh "of another project" .[a-z]*',
      ...others.map((path) => `echo planted > ${path}`),
      'find .[a-z]* | grep -v skills',
    ]
    writeFileSync(join(at.cwd, 'try.sh'), tries.join('\n'))
    model.script(at.spec.runId, [
      { do: 'call', tool: 'Bash', input: { command: 'sh try.sh', description: 'try' } },
      { do: 'answer', output: { answer: 42 } },
    ])
    const played = await at.play()
    expect(played.terminal).toMatchObject({ type: 'done' })
    const said = of(played, 'tool_result')
      .map(({ output }) => output)
      .join()
    expect(said).toContain(sessionOf(played).slice(0, 8))
    expect(said).not.toContain('"of another project"')
    for (const path of others)
      expect(readFileSync(path, 'utf8')).toBe('{"words": "of another project"}')
  })

  test('a stage that may only read cannot write, whatever the agent lets it do', async () => {
    const at = shutIn('write-file', { access: 'read' })
    at.spec.sandbox = {
      ...at.spec.sandbox,
      network: 'agent',
      readOnly: [...(at.spec.sandbox?.readOnly ?? []), at.cwd],
      writable: [],
      kept: [],
    }
    await at.play()
    expect(existsSync(join(at.cwd, 'hello.txt'))).toBe(false)
  })

  test('interrupted at work, it ends under 2 s and leaves nothing', async () => {
    const at = shutIn('slow')
    let asked = 0
    const { terminal } = await at.play((event: AgentEvent, session) => {
      if (event.type !== 'text' || asked > 0) return
      asked = performance.now()
      session.interrupt()
    })
    expect(performance.now() - asked).toBeLessThan(atThisPace(2000))
    expect(terminal).toMatchObject({ type: 'failed', reason: 'interrupted' })
    expect(at.processes()).toEqual([])
  })
})

const sessionOf = ({ events }: Played) =>
  events.find((event) => event.type === 'session')?.sessionId ?? ''

/** The worktree, and for an agent by ACP what its person would have configured. */
function sandboxFor(driver: Driver, at: Stage, { env = {} }: Installed): Sandbox {
  const { acp } = at.spec
  if (driver.name === 'acp' && acp) {
    const model = new URL(at.spec.env['ANTHROPIC_BASE_URL'] ?? '')
    at.spec.acp = { ...acp, hosts: [model.host], home: ['.claude'], sessions: ['.claude/projects'] }
  }
  const programs = Object.values(env).filter(
    (value) => value.startsWith('/') && !value.includes(':'),
  )
  return { network: 'agent', readOnly: programs, writable: [at.cwd], kept: [] }
}
