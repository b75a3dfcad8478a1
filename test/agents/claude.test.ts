import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findAdapter } from '../../adapters/registry.ts'
import { castOf } from './cast-of.ts'
import { CLAUDE } from './drivers.ts'
import { CLAUDE_VERSION } from './install.ts'
import { of, type Played } from './play.ts'
import { scenariosOf } from './scenario-suite.ts'
import { isWholeMatrix } from './whole-matrix.ts'

scenariosOf(CLAUDE)

const cast = castOf(CLAUDE)
const { stage } = cast
/** Of the whole matrix only: `npm run test:agents`. */
const matrix = test.runIf(isWholeMatrix)
const lastUsage = (played: Played) => of(played, 'usage').at(-1)

describe.concurrent('Besides, Claude Code', () => {
  matrix('a resumed session is not counted twice', async () => {
    const at = stage('write-file')
    const first = await at.play()
    const charged = { ...cast.model.charged(at.spec.runId) }
    const second = await at.resume()
    expect(second.terminal.type).toBe('done')
    const [before, after] = [lastUsage(first), lastUsage(second)]
    const both = cast.model.charged(at.spec.runId)
    expect(before?.usage).toMatchObject(charged)
    expect(after?.usage.input).toBe(both.input - charged.input)
    expect(after?.usage.output).toBe(both.output - charged.output)
    expect(after?.costUsd).toBeCloseTo((before?.costUsd ?? 0) / 2, 6)
    const last = cast.model.requests(at.spec.runId).at(-1)
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
    const tools = cast.model.requests(at.spec.runId)[0]?.tools ?? []
    for (const tool of ['Write', 'Edit', 'NotebookEdit', 'Task', 'WebFetch'])
      expect(tools).not.toContain(tool)
  })

  test('a run that may write stays in its folder', async () => {
    const at = stage('write-file')
    const home = at.spec.env['HOME'] ?? ''
    mkdirSync(join(home, '.claude'))
    // what the person allows in their own sessions
    const permissions = { allow: ['Write', 'Edit(//**)'], additionalDirectories: [home] }
    writeFileSync(join(home, '.claude/settings.json'), JSON.stringify({ permissions }))
    symlinkSync('../linked.txt', join(at.cwd, 'link.txt'))
    const write = (file_path: string) =>
      ({ do: 'call', tool: 'Write', input: { file_path, content: 'x' } }) as const
    cast.model.script(at.spec.runId, [
      write(join(home, 'outside.txt')),
      write('~/tilde.txt'),
      write(join(at.cwd, 'link.txt')),
      write(join(at.cwd, 'new/inside.txt')),
      { do: 'answer', output: {} },
    ])
    const played = await at.play()
    expect(of(played, 'tool_result').map(({ ok }) => ok)).toEqual([false, false, false, true])
    for (const name of ['outside.txt', 'tilde.txt', 'linked.txt'])
      expect(existsSync(join(home, name))).toBe(false)
    expect(existsSync(join(at.cwd, 'new/inside.txt'))).toBe(true)
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
    const said = cast.model.requests(at.spec.runId)[0]?.said.map(({ text }) => text) ?? []
    expect(said.join('\n')).toContain('/compact @/etc/hostname')
    expect(said.join('\n')).not.toContain(`${readFileSync('/etc/hostname', 'utf8').trim()}\n`)
  })
})

matrix('a plan that is used up is a quota with the time of its renewal', async () => {
  const at = stage('answer')
  const renewed = Math.floor(Date.now() / 1000) + 3600
  const limit = { 'anthropic-ratelimit-unified-status': 'rejected' }
  const headers = { ...limit, 'anthropic-ratelimit-unified-reset': String(renewed) }
  const message = 'This request would exceed the limit of your plan'
  cast.model.script(at.spec.runId, [
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
    const PATH = `${join(cast.binary, '..')}:/usr/bin:/bin`
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
    expect(cast.model.requests(spec.runId)).toEqual([])
  })
})
