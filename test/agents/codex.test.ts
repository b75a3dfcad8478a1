import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findAdapter } from '../../adapters/registry.ts'
import type { AgentEvent } from '../../contracts/agent.ts'
import type { RecordedRequest } from '../model-server/step.ts'
import { atThisPace } from '../support/pace.ts'
import { castOf } from './cast-of.ts'
import { CODEX } from './drivers.ts'
import { CODEX_VERSION } from './install-codex.ts'
import type { Stage } from './play.ts'
import { of, sessionOf, statesOf, usageOf } from './play.ts'
import { scenariosOf } from './scenario-suite.ts'
import { isWholeMatrix } from './whole-matrix.ts'

scenariosOf(CODEX)

const cast = castOf(CODEX)
const { stage } = cast
/** Of the whole matrix only: `npm run test:agents`. */
const matrix = test.runIf(isWholeMatrix)
const requestsOf = (at: Stage) => cast.model.requests(at.spec.runId)
const has = ({ said }: RecordedRequest, words: string) =>
  said.some(({ text }) => text.includes(words))
const bash = (command: string) =>
  ({ do: 'call', tool: 'Bash', input: { command, description: 'as scripted' } }) as const
const ANSWER = { do: 'answer', output: { answer: 42 } } as const
/** Holds the shell, and leaves a child in a session of its own. */
const HOLD = `setsid node -e "setTimeout(() => {}, 600000)" & node -e "setTimeout(() => {}, 30000)"`

describe.concurrent('Besides, Codex', () => {
  matrix('a resumed session is not counted twice', async () => {
    const at = stage('write-file')
    const first = await at.play()
    const charged = { ...cast.model.charged(at.spec.runId) }
    const second = await at.resume({ resumeSessionId: sessionOf(first) })
    expect(second.terminal.type).toBe('done')
    expect(sessionOf(second)).toBe(sessionOf(first))
    const both = cast.model.charged(at.spec.runId)
    expect(usageOf(first)).toMatchObject(charged)
    expect(usageOf(second)?.input).toBe(both.input - charged.input)
    expect(usageOf(second)?.cacheRead).toBe(both.cacheRead - charged.cacheRead)
    expect(usageOf(second)?.output).toBe(both.output - charged.output)
    expect(
      requestsOf(at)
        .at(-1)
        ?.said.some(({ text }) => text === '[apply_patch]'),
    ).toBe(true)
  })

  test('a run that may write stays in its folder, and reaches no network', async () => {
    const at = stage('write-file')
    repository(at.cwd)
    const { port } = cast.model
    cast.model.script(at.spec.runId, [
      bash('touch ../outside.txt /tmp/outside-of-codex.txt .git/config2; touch inside.txt; ls'),
      bash(`node -e "fetch('http://127.0.0.1:${port}/').catch((e) => console.log(e.cause.code))"`),
      ANSWER,
    ])
    const played = await at.play()
    expect(played.terminal.type).toBe('done')
    expect(existsSync(join(at.cwd, 'inside.txt'))).toBe(true)
    for (const path of ['../outside.txt', '/tmp/outside-of-codex.txt', '.git/config2'])
      expect(existsSync(path.startsWith('/') ? path : join(at.cwd, path))).toBe(false)
    expect(of(played, 'tool_result').at(-1)?.output).toMatch(/EPERM|ENETUNREACH|ECONNREFUSED/)
  })

  test.each(['read', 'write'] as const)(
    'what the person once allowed for good is no way out of a run that may %s, nor is their login read',
    async (access) => {
      const at = stage('write-file', { access })
      const home = at.spec.env['HOME'] ?? ''
      // as people have it who keep their settings in a repository
      renameSync(join(home, '.codex'), join(home, 'dotfiles'))
      renameSync(join(home, 'dotfiles/auth.json'), join(home, 'login.json'))
      symlinkSync('dotfiles', join(home, '.codex'))
      symlinkSync('../login.json', join(home, 'dotfiles/auth.json'))
      mkdirSync(join(home, '.codex/rules'))
      const rule = 'prefix_rule(pattern=["touch"], decision="allow")\n'
      writeFileSync(join(home, '.codex/rules/default.rules'), rule)
      cast.model.script(at.spec.runId, [
        bash('touch inside.txt'),
        bash('touch ../outside.txt'),
        bash(`cat ${home}/.codex/auth.json; touch "$TMPDIR/temporary.txt"`),
        ANSWER,
      ])
      const played = await at.play()
      expect(played.terminal.type).toBe('done')
      expect(of(played, 'tool_result')).toHaveLength(3)
      expect(existsSync(join(at.cwd, 'inside.txt'))).toBe(access === 'write')
      expect(existsSync(join(home, 'tmp/temporary.txt'))).toBe(access === 'write')
      expect(existsSync(join(home, 'outside.txt'))).toBe(false)
      expect(JSON.stringify(requestsOf(at).at(-1)?.body)).not.toContain('sk-fake')
    },
  )

  test("the repository's own settings count for nothing, and the person's stay as they are", async () => {
    const server = (name: string) => `[mcp_servers.${name}]\ncommand = "touch"\nargs = ["MARK"]\n`
    const servers = `${server('mine')}${server('"with.a.dot"')}`
    const at = stage('run-command', { config: `notify = ["touch", "MARK"]\n${servers}` })
    const mark = join(at.cwd, '..', 'started')
    const file = join(at.spec.env['HOME'] ?? '', '.codex/config.toml')
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('MARK', mark))
    const before = readFileSync(file, 'utf8')
    repository(at.cwd)
    mkdirSync(join(at.cwd, '.codex'))
    writeFileSync(join(at.cwd, '.codex/config.toml'), 'model = "gpt-of-the-repository"\n')
    const played = await at.play()
    expect(played.terminal.type).toBe('done')
    expect(requestsOf(at).map((request) => request.model)).toEqual(['gpt-5.5', 'gpt-5.5'])
    expect(readFileSync(file, 'utf8')).toBe(before)
    expect(existsSync(mark)).toBe(false)
  })

  matrix('text is shown while it streams, and a correction cuts in', async () => {
    const at = stage('slow')
    let seen = 0
    const played = await at.play(({ type }, session) => {
      if (type === 'text') seen += 1
      if (seen === 8 && type === 'text') session.correct({ id: 'c-1', text: 'Be brief.' })
    })
    expect(played.terminal).toMatchObject({ type: 'done', output: { answer: 42 } })
    expect(of(played, 'text').length).toBeGreaterThan(8)
    expect(statesOf(played)).toEqual(['queued', 'delivered', 'applied'])
    expect(requestsOf(at).map((request) => has(request, 'Be brief.'))).toEqual([false, true])
  })

  matrix(
    'a correction that comes as the turn ends starts another, whose answer counts',
    async () => {
      const at = stage('answer')
      let sent = false
      cast.model.script(at.spec.runId, [ANSWER, { do: 'answer', output: { answer: 43 } }])
      const played = await at.play(({ type }, session) => {
        if (type !== 'usage' || sent) return
        sent = true
        session.correct({ id: 'c-1', text: 'One more.' })
      })
      expect(played.terminal).toMatchObject({ type: 'done', output: { answer: 43 } })
      expect(statesOf(played)).toEqual(['queued', 'delivered', 'applied'])
      expect(usageOf(played)).toMatchObject(cast.model.charged(at.spec.runId))
    },
  )

  matrix(
    'an interrupt ends it under 2 s with a tool at work, and the session goes on later',
    async () => {
      const at = stage('leave-child')
      cast.model.script(at.spec.runId, [bash(HOLD), ANSWER])
      let asked = 0
      const played = await at.play(({ type }, session) => {
        if (type !== 'usage' || asked > 0) return
        asked = performance.now()
        session.interrupt()
      })
      expect(played.terminal).toMatchObject({ type: 'failed', reason: 'interrupted' })
      expect(performance.now() - asked).toBeLessThan(atThisPace(2000))
      expect(at.processes()).toEqual([])
      expect(usageOf(played)).toMatchObject(cast.model.charged(at.spec.runId))
      const resumed = await at.resume({ resumeSessionId: sessionOf(played), prompt: 'Go on.' })
      expect(resumed.terminal.type).toBe('done')
      expect(last(at).said.map(({ text }) => text)).toContain('[exec_command]')
    },
  )

  matrix('a conversation that grows too long is shortened, and that is told', async () => {
    const at = stage('compaction', { config: 'model_auto_compact_token_limit = 100000\n' })
    const played = await at.play()
    expect(played.terminal.type).toBe('done')
    expect(of(played, 'compaction')[0]).toMatchObject({ trigger: 'auto' })
    expect(usageOf(played)?.input).toBe(cast.model.charged(at.spec.runId).input)
  })

  matrix('a compaction in a resumed session is counted', async () => {
    const at = stage('compaction', { config: 'model_auto_compact_token_limit = 100000\n' })
    const { runId } = at.spec
    const large = { input: 190_000, cacheRead: 0, cacheWrite: 0 }
    cast.model.script(runId, [ANSWER, { ...bash('echo one'), usage: large }, ANSWER])
    const first = await at.play()
    const charged = { ...cast.model.charged(runId) }
    const second = await at.resume({ resumeSessionId: sessionOf(first) })
    expect(of(second, 'compaction')).toHaveLength(1)
    const both = cast.model.charged(runId)
    expect(usageOf(second)).toMatchObject({
      input: both.input - charged.input,
      output: both.output - charged.output,
    })
  })

  matrix('CODEX_API_KEY is a login for the run alone, which its tools do not see', async () => {
    const base = stage('run-command')
    const home = base.spec.env['HOME'] ?? ''
    rmSync(join(home, '.codex/auth.json'))
    cast.model.script(base.spec.runId, [bash('env'), ANSWER])
    const AZURE_OPENAI_API_KEY = 'azure-key-from-the-environment'
    const key = { CODEX_API_KEY: 'sk-from-the-environment', AZURE_OPENAI_API_KEY }
    const env = { ...base.spec.env, ...key }
    const session = await findAdapter('codex')
    const events: AgentEvent[] = []
    const { signal: never } = new AbortController()
    for await (const event of session?.start({ ...base.spec, env }, { signal: never }).events ?? [])
      events.push(event)
    expect(events.at(-1)?.type).toBe('done')
    const authorized = requestsOf(base).map(({ headers }) => headers['authorization'])
    expect(authorized).toEqual(Array(2).fill('Bearer sk-from-the-environment'))
    expect(existsSync(join(home, '.codex/auth.json'))).toBe(false)
    const results = events.flatMap((e) => (e.type === 'tool_result' ? [e.output] : []))
    expect(results.join()).toContain('DISPATCH_RUN_ID')
    expect(results.join()).not.toContain('from-the-environment')
  })

  matrix("a plan's limit is reached: quota, with the time at which it is over", async () => {
    const at = stage('429-always')
    const end = Math.floor(Date.now() / 1000) + 3600
    const headers = {
      'x-codex-primary-used-percent': '100',
      'x-codex-primary-window-minutes': '300',
      'x-codex-primary-reset-at': String(end),
      'x-codex-secondary-used-percent': '40',
      'x-codex-secondary-window-minutes': '10080',
      'x-codex-secondary-reset-at': String(end + 90_000),
    }
    const message = 'The usage limit has been reached'
    const step = { do: 'fail', status: 429, type: 'usage_limit_reached', message, headers } as const
    cast.model.script(at.spec.runId, [step])
    const { terminal } = await at.play()
    const until = new Date(end * 1000).toISOString()
    expect(terminal).toMatchObject({ type: 'failed', reason: 'quota', until })
  })

  matrix('a model that writes programs for its tools works too', async () => {
    const at = stage('write-file', { model: 'gpt-6-sol' })
    const played = await at.play()
    expect(played.terminal).toMatchObject({ type: 'done', output: { answer: 42 } })
    expect(readFileSync(join(at.cwd, 'hello.txt'), 'utf8')).toBe('hello\n')
    expect(usageOf(played)).toMatchObject(cast.model.charged(at.spec.runId))
  })
})

const last = (at: Stage): RecordedRequest => {
  const request = requestsOf(at).at(-1)
  if (!request) throw new Error('the model was not asked')
  return request
}

function repository(cwd: string): void {
  execFileSync('git', ['init', '-q'], { cwd })
  const identity = ['-c', 'user.name=T', '-c', 'user.email=t@localhost']
  const commit = ['commit', '-q', '--allow-empty', '-m', 'one commit']
  execFileSync('git', [...identity, ...commit], { cwd })
}

describe.concurrent('Codex is detected', () => {
  const detect = async (env: Record<string, string>) =>
    (await findAdapter('codex'))?.detect({ env })

  test('missing: with the command that installs it', async () => {
    expect(await detect({ PATH: '/nowhere' })).toMatchObject({
      found: false,
      advice: 'Install it: npm install -g @openai/codex',
    })
  })

  test('found with its version, logged in or not, and no token spent', async () => {
    const { spec } = stage('answer')
    const PATH = `${dirname(cast.binary)}:/usr/bin:/bin`
    const HOME = join(spec.cwd, '..')
    const found = { found: true, version: CODEX_VERSION, binary: cast.binary }
    expect(await detect({ ...spec.env, PATH })).toMatchObject({ ...found, login: 'ready' })
    const advice = 'Log in: codex login'
    rmSync(join(HOME, '.codex/auth.json'))
    expect(await detect({ PATH, HOME })).toMatchObject({ ...found, login: 'needed', advice })
    expect(cast.model.requests(spec.runId)).toEqual([])
  })
})
