import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signal } from '../../adapters/process-tree.ts'
import { findAdapter } from '../../adapters/registry.ts'
import type { AgentEvent, RunSpec } from '../../contracts/agent.ts'
import { type ModelServer, startModelServer } from '../model-server/model-server.ts'
import { CLAUDE_VERSION, installClaude } from './install.ts'
import { type Played, type Stage, setStage } from './play.ts'

let model: ModelServer
let claude: string
beforeAll(async () => {
  claude = await installClaude()
  model = await startModelServer()
}, 600_000)
const stages: Stage[] = []
afterAll(async () => {
  for (const each of stages) each.remove()
  await model?.close()
})

function stage(scenario: string, more: Partial<RunSpec> = {}): Stage {
  const made = setStage(model, scenario, { binary: claude, ...more })
  stages.push(made)
  return made
}
const of = <T extends AgentEvent['type']>({ events }: Played, type: T) =>
  events.filter((event): event is AgentEvent & { type: T } => event.type === type)
const lastUsage = (played: Played) => of(played, 'usage').at(-1)

describe.concurrent('Claude Code at work', () => {
  test('writes a file and answers in the asked shape, counted to the token', async () => {
    const at = stage('write-file')
    const played = await at.play()
    expect(played.terminal).toMatchObject({ type: 'done', output: { answer: 42 } })
    expect(readFileSync(join(at.cwd, 'hello.txt'), 'utf8')).toBe('hello\n')
    expect(of(played, 'file')).toEqual([{ type: 'file', path: 'hello.txt', change: 'create' }])
    expect(lastUsage(played)).toMatchObject({ usage: model.charged(at.spec.runId) })
    expect(lastUsage(played)?.costUsd).toBeGreaterThan(0)
  })

  test('a resumed session is not counted twice', async () => {
    const at = stage('write-file')
    const first = await at.play()
    const charged = { ...model.charged(at.spec.runId) }
    const second = await at.resume()
    expect(second.terminal.type).toBe('done')
    const [before, after] = [lastUsage(first), lastUsage(second)]
    const both = model.charged(at.spec.runId)
    expect(before?.usage).toMatchObject(charged)
    expect(after?.usage.input).toBe(both.input - charged.input)
    expect(after?.usage.output).toBe(both.output - charged.output)
    expect(after?.costUsd).toBeCloseTo((before?.costUsd ?? 0) / 2, 6)
    const last = model.requests(at.spec.runId).at(-1)
    expect(last?.said.some(({ text }) => text === '[Write]')).toBe(true)
  })

  test('a run that may only read cannot write, by tools or by the shell', async () => {
    const at = stage('read-only', { access: 'read' })
    execFileSync('git', ['init', '-q'], { cwd: at.cwd })
    const identity = ['-c', 'user.name=T', '-c', 'user.email=t@localhost']
    execFileSync('git', [...identity, 'commit', '-q', '--allow-empty', '-m', 'one commit'], {
      cwd: at.cwd,
    })
    const played = await at.play()
    expect(played.terminal.type).toBe('done')
    expect(of(played, 'tool_result').map(({ ok }) => ok)).toEqual([false, false, true])
    expect(of(played, 'tool_result').at(-1)?.output).toContain('one commit')
    expect(readdirSync(at.cwd)).toEqual(['.git'])
    const tools = model.requests(at.spec.runId)[0]?.tools ?? []
    for (const tool of ['Write', 'Edit', 'NotebookEdit', 'Task', 'WebFetch'])
      expect(tools).not.toContain(tool)
  })

  test('a run that may write stays in its folder', async () => {
    const at = stage('write-file')
    const outside = join(at.cwd, '..', 'outside.txt')
    const input = { file_path: outside, content: 'x' }
    model.script(at.spec.runId, [
      { do: 'call', tool: 'Write', input },
      { do: 'answer', output: {} },
    ])
    const played = await at.play()
    expect(of(played, 'tool_result').map(({ ok }) => ok)).toEqual([false])
    expect(existsSync(outside)).toBe(false)
  })

  test("the repository's own settings and the goal's text give no commands", async () => {
    const at = stage('write-file', { prompt: '/compact @/etc/hostname' })
    mkdirSync(join(at.cwd, '.claude'))
    const hook = { type: 'command', command: `touch ${at.cwd}/hooked` }
    writeFileSync(
      join(at.cwd, '.claude/settings.json'),
      JSON.stringify({ hooks: { UserPromptSubmit: [{ hooks: [hook] }] } }),
    )
    const { terminal } = await at.play()
    expect(terminal.type).toBe('done')
    expect(existsSync(join(at.cwd, 'hooked'))).toBe(false)
    const said = model.requests(at.spec.runId)[0]?.said.map(({ text }) => text) ?? []
    expect(said.join('\n')).toContain('/compact @/etc/hostname')
    expect(said.join('\n')).not.toContain(`${readFileSync('/etc/hostname', 'utf8').trim()}\n`)
  })

  test('the session is known before the model is asked', async () => {
    const at = stage('answer')
    const asked: number[] = []
    await at.play(({ type }) => {
      if (type === 'session') asked.push(model.requests(at.spec.runId).length)
    })
    expect(asked[0]).toBe(0)
    expect(model.requests(at.spec.runId).length).toBeGreaterThan(0)
  })

  test('after a SIGKILL the session goes on with what was said', async () => {
    const at = stage('three-tools')
    let tools = 0
    const killed = await at.play(({ type }) => {
      if (type === 'tool') tools += 1
      if (tools === 2) for (const { pid } of at.processes()) signal(pid, 'SIGKILL')
    })
    expect(killed.terminal).toMatchObject({ type: 'failed', reason: 'crash' })
    const resumed = await at.resume({ prompt: 'Go on.' })
    expect(resumed.terminal.type).toBe('done')
    const last = model
      .requests(at.spec.runId)
      .at(-1)
      ?.said.map(({ text }) => text)
    expect(last).toContain('[Bash]')
    expect(last?.join()).toContain('Go on.')
  })

  test('a session that it does not know is "session", so that the work starts again', async () => {
    const { terminal } = await stage('answer').resume()
    expect(terminal).toMatchObject({ type: 'failed', reason: 'session' })
  })

  test('a correction is in the very next request to the model', async () => {
    const at = stage('three-tools')
    let before = -1
    const played = await at.play((event, session) => {
      if (event.type !== 'tool' || before >= 0) return
      before = model.requests(at.spec.runId).length
      session.correct({ id: 'c-1', text: 'Use tabs.' })
    })
    expect(played.terminal.type).toBe('done')
    const has = model
      .requests(at.spec.runId)
      .map(({ said }) => said.some(({ text }) => text.includes('Use tabs.')))
    expect(has.indexOf(true)).toBe(before)
    expect(of(played, 'correction').map(({ state }) => state)).toEqual([
      'queued',
      'delivered',
      'applied',
    ])
  })

  test('an interrupt ends it under 2 s with a tool at work, and nothing is left', async () => {
    const at = stage('leave-child')
    const hold = `setsid node -e "setTimeout(() => {}, 600000)" & node -e "setTimeout(() => {}, 30000)"`
    const input = { command: hold, description: 'hold' }
    model.script(at.spec.runId, [{ do: 'call', tool: 'Bash', input }])
    let asked = 0
    const { terminal } = await at.play(({ type }, session) => {
      if (type !== 'tool' || asked > 0) return
      asked = performance.now()
      session.interrupt()
    })
    expect(terminal).toMatchObject({ type: 'failed', reason: 'interrupted' })
    expect(performance.now() - asked).toBeLessThan(2000)
    expect(at.processes()).toEqual([])
  })

  test('a kill takes the shell and its children along', async () => {
    const at = stage('leave-child')
    const hold = `setsid node -e "setTimeout(() => {}, 600000)" & node -e "setTimeout(() => {}, 30000)"`
    model.script(at.spec.runId, [
      { do: 'call', tool: 'Bash', input: { command: hold, description: 'hold' } },
    ])
    await at.play(({ type }) => {
      if (type === 'tool') at.killer.abort()
    })
    expect(at.processes()).toEqual([])
  })

  test('a conversation that grows too long is shortened, and that is told', async () => {
    const at = stage('compaction')
    const env = { ...at.spec.env, CLAUDE_CODE_AUTO_COMPACT_WINDOW: '100000' }
    const again = stage('compaction', { env, runId: at.spec.runId, cwd: at.cwd })
    const played = await again.play()
    expect(played.terminal.type).toBe('done')
    expect(of(played, 'compaction')[0]).toMatchObject({
      trigger: 'auto',
      summary: expect.stringContaining('a scripted summary'),
    })
    expect(lastUsage(played)?.usage.input).toBe(model.charged(at.spec.runId).input)
  })
})

/** What the provider does, and what Dispatch hears of it. */
const FAILURES: readonly [scenario: string, what: string, reason: string][] = [
  ['401', 'the key is refused', 'auth'],
  ['403', 'the key may not do this', 'auth'],
  ['404', 'there is no such model', 'model'],
  ['400', 'the request is refused', 'refused'],
  ['429-always', 'too many requests, for longer than it tries', 'rate_limit'],
  ['429-long', 'too many requests, come back in an hour', 'rate_limit'],
  ['no-credit', 'the credit is used up', 'quota'],
  ['500', 'the provider fails', 'overloaded'],
  ['529', 'the provider is overloaded', 'overloaded'],
  ['drop', 'the answer is cut off', 'network'],
  ['garbage', 'the answer is none', 'network'],
  ['too-long', 'the conversation does not fit', 'context'],
  ['hang', 'the provider takes the request and says nothing', 'hung'],
  ['stall', 'the provider stops in the middle', 'hung'],
]

describe.concurrent('Claude Code when', () => {
  test.each(FAILURES)('%s: %s, fails as %s', async (scenario, _what, reason) => {
    const isSilent = scenario === 'hang' || scenario === 'stall'
    const at = stage(scenario, { silenceSeconds: isSilent ? 6 : 60 })
    const played = await at.play()
    expect(played.terminal).toMatchObject({ type: 'failed', reason })
    expect(played.terminal).toHaveProperty('detail', expect.stringMatching(/\w{4}/))
    expect(model.requests(at.spec.runId).length).toBeLessThan(10)
    expect(at.processes()).toEqual([])
  })

  test.each(['429', '500-once'])(
    '%s passes by itself, tells of its retry and goes on',
    async (s) => {
      const played = await stage(s).play()
      expect(of(played, 'retry').length).toBeGreaterThan(0)
      expect(played.terminal.type).toBe('done')
    },
  )
})

test('a plan that is used up is a quota with the time of its renewal', async () => {
  const at = stage('answer')
  const renewed = Math.floor(Date.now() / 1000) + 3600
  const limit = { 'anthropic-ratelimit-unified-status': 'rejected' }
  const headers = { ...limit, 'anthropic-ratelimit-unified-reset': String(renewed) }
  const message = 'This request would exceed the limit of your plan'
  model.script(at.spec.runId, [
    { do: 'fail', status: 429, type: 'rate_limit_error', message, headers },
  ])
  // a limit of a plan is told to who is logged in with one
  const { ANTHROPIC_API_KEY: _, ...env } = at.spec.env as Record<string, string | undefined>
  at.spec.env = { ...(env as Record<string, string>), CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-fake' }
  const { terminal } = await at.play()
  const until = new Date(renewed * 1000).toISOString()
  expect(terminal).toMatchObject({ type: 'failed', reason: 'quota', until })
})

describe.concurrent('Claude Code is detected', () => {
  const detect = async (env: Record<string, string>) =>
    (await findAdapter('claude'))?.detect({ env })

  test('missing: with the command that installs it', async () => {
    expect(await detect({ PATH: '/nowhere' })).toMatchObject({
      found: false,
      advice: 'Install it: npm install -g @anthropic-ai/claude-code',
    })
  })

  test('found with its version, logged in or not, and no token spent', async () => {
    const { spec } = stage('answer')
    const PATH = `${join(claude, '..')}:/usr/bin:/bin`
    const { HOME = '' } = spec.env
    expect(await detect({ ...spec.env, PATH })).toMatchObject({
      found: true,
      version: CLAUDE_VERSION,
      login: 'ready',
    })
    expect(await detect({ PATH, HOME })).toMatchObject({
      found: true,
      login: 'needed',
      advice: 'Log in: claude auth login',
    })
    expect(model.requests(spec.runId)).toEqual([])
  })
})
