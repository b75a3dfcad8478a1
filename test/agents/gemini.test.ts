import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { signal } from '../../adapters/process-tree.ts'
import { findAdapter } from '../../adapters/registry.ts'
import { SLOW_TEXT } from '../model-server/scenarios.ts'
import { castOf } from './cast-of.ts'
import { GEMINI } from './drivers.ts'
import { GEMINI_VERSION } from './install-gemini.ts'
import { of, type Played, statesOf } from './play.ts'
import { scenariosOf } from './scenario-suite.ts'
import { isWholeMatrix } from './whole-matrix.ts'

scenariosOf(GEMINI)

const cast = castOf(GEMINI)
const { stage } = cast
/** Of the whole matrix only: `npm run test:agents`. */
const matrix = test.runIf(isWholeMatrix)
const lastUsage = (played: Played) => of(played, 'usage').at(-1)?.usage
const charged = (run: string) => {
  const { input, output, cacheRead } = cast.model.charged(run)
  return { input, output, cacheRead }
}
const texts = (run: string, index = -1) =>
  (cast.model.requests(run).at(index)?.said ?? []).map(({ text }) => text)

describe.concurrent('Besides, Gemini CLI', () => {
  matrix('nobody is logged in: auth', async () => {
    const at = stage('answer')
    delete at.spec.env['GEMINI_API_KEY']
    delete at.spec.env['GOOGLE_GEMINI_BASE_URL']
    expect((await at.play()).terminal).toMatchObject({ type: 'failed', reason: 'auth' })
  })

  matrix('tokens are told while it works', async () => {
    const at = stage('write-file')
    const played = await at.play()
    expect(of(played, 'usage')[0]?.usage.output).toBe(34)
    // before the result, with which the next request is handed over
    const types = played.events.map(({ type }) => type)
    expect(types.indexOf('usage')).toBeLessThan(types.indexOf('tool_result'))
    expect(of(played, 'usage').every(({ costUsd }) => costUsd === undefined)).toBe(true)
  })

  matrix(
    'a resumed session is not counted twice, and no result of a tool is sent twice',
    async () => {
      const at = stage('write-file')
      await at.play()
      const first = charged(at.spec.runId)
      const second = await at.resume({ prompt: 'Go on.' })
      expect(second.terminal.type).toBe('done')
      const both = charged(at.spec.runId)
      expect(lastUsage(second)).toMatchObject({
        input: both.input - first.input,
        output: both.output - first.output,
      })
      const third = await at.resume({ prompt: 'Go on again.' })
      expect(third.terminal.type).toBe('done')
      const said = cast.model.requests(at.spec.runId).at(-1)?.said ?? []
      expect(said.filter(({ from }) => from === 'tool')).toHaveLength(1)
      expect(said.filter(({ text }) => text === '[write_file]')).toHaveLength(1)
    },
  )

  matrix('a run that may only read cannot write, by tools or by the shell', async () => {
    const at = stage('read-only', { access: 'read' })
    execFileSync('git', ['init', '-q'], { cwd: at.cwd })
    const identity = ['-c', 'user.name=T', '-c', 'user.email=t@localhost']
    execFileSync('git', [...identity, 'commit', '-q', '--allow-empty', '-m', 'one commit'], {
      cwd: at.cwd,
    })
    // a folder of the project that came with a clone
    execFileSync('git', ['init', '-q', '--bare', 'docs'], { cwd: at.cwd })
    const config = '[core]\nbare = false\nworktree = ..\nfsmonitor = "touch started; :"\n'
    writeFileSync(join(at.cwd, 'docs', 'config'), config)
    const bash = (command: string, more = {}) => ({
      do: 'call' as const,
      tool: 'Bash',
      input: { command, description: 'as scripted', ...more },
    })
    cast.model.script(at.spec.runId, [
      { do: 'call', tool: 'Write', input: { file_path: 'forbidden.txt', content: 'x' } },
      bash('echo x > forbidden-by-shell.txt'),
      bash('git log --output=forbidden-by-git.txt'),
      bash('git log --oneline > forbidden-by-git.txt'),
      bash('git status; touch forbidden.txt'),
      bash('git grep --ope=touch -e x --no-index /etc/passwd'),
      bash('git status', { dir_path: 'docs' }),
      bash('git log --oneline -1'),
      { do: 'answer', output: {} },
    ])
    const played = await at.play()
    expect(played.terminal.type).toBe('done')
    const results = of(played, 'tool_result')
    expect(results.slice(0, 6).filter(({ ok }) => ok)).toEqual([])
    expect(results.at(-2)?.output).toContain('safe.bareRepository')
    expect(results.at(-1)?.output).toContain('one commit')
    expect(readdirSync(at.cwd)).toEqual(['.git', 'docs'])
    const tools = cast.model.requests(at.spec.runId)[0]?.tools ?? []
    expect(tools.toSorted()).toEqual([
      'glob',
      'grep_search',
      'list_directory',
      'read_file',
      'run_shell_command',
    ])
  })

  matrix('a run that may write runs any command, and its diffs are of git itself', async () => {
    const at = stage('write-file')
    const git = (...args: string[]) => execFileSync('git', args, { cwd: at.cwd })
    git('init', '-q')
    writeFileSync(join(at.cwd, 'a.txt'), 'one\n')
    git('add', '.')
    const commands = ['echo two > a.txt', 'git diff', 'git add a.txt && git status', 'rm -rf a.txt']
    const calls = commands.map((command) => ({
      ...{ do: 'call' as const, tool: 'Bash' },
      input: { command, description: 'as scripted' },
    }))
    cast.model.script(at.spec.runId, [...calls, { do: 'answer', output: {} }])
    const results = of(await at.play(), 'tool_result')
    expect(results.map(({ ok }) => ok)).toEqual(commands.map(() => true))
    expect(results[1]?.output).toContain('-one\n+two')
    expect(readdirSync(at.cwd)).toEqual(['.git'])
  })

  matrix('a run that may write stays in its folder', async () => {
    const at = stage('write-file')
    const outside = join(at.cwd, '..', 'outside.txt')
    const persons = join(at.spec.env['HOME'] ?? '', '.gemini')
    const instructions = join(persons, 'GEMINI.md')
    mkdirSync(persons)
    writeFileSync(instructions, 'Use tabs.\n')
    const write = (file_path: string) =>
      ({ do: 'call', tool: 'Write', input: { file_path, content: 'x' } }) as const
    // where its own instructions say that it may take notes
    const command =
      'cd "$GEMINI_CLI_HOME/.gemini" && echo x >> GEMINI.md && cd tmp/* && mkdir memory && echo x > memory/MEMORY.md'
    cast.model.script(at.spec.runId, [
      ...[outside, instructions].map(write),
      { do: 'call', tool: 'Bash', input: { command, description: 'take notes' } },
      { do: 'answer', output: {} },
    ])
    const played = await at.play()
    expect(of(played, 'tool_result').map(({ ok }) => ok)).toEqual([false, false, true])
    expect(existsSync(outside)).toBe(false)
    expect(cast.model.requests(at.spec.runId)[0]?.system).toContain('Use tabs.')
    expect(readFileSync(instructions, 'utf8')).toBe('Use tabs.\n')
    expect(readdirSync(persons, { recursive: true }).join()).not.toContain('memory')
  })

  matrix(
    "the repository's settings, hooks and variables, and the goal's text, give no commands",
    async () => {
      const at = stage('write-file', { prompt: '/compress' })
      mkdirSync(join(at.cwd, '.gemini'))
      const hook = { type: 'command', command: `touch ${at.cwd}/hooked` }
      const server = { command: 'touch', args: [join(at.cwd, 'served')] }
      writeFileSync(
        join(at.cwd, '.gemini/settings.json'),
        JSON.stringify({ hooks: { AfterTool: [{ hooks: [hook] }] }, mcpServers: { bad: server } }),
      )
      // would lead the key elsewhere
      for (const file of ['.env', '.gemini/.env'])
        writeFileSync(
          join(at.cwd, file),
          'GOOGLE_CLOUD_PROJECT=theirs\nHTTPS_PROXY=http://127.0.0.1:9\n',
        )
      const { terminal } = await at.play()
      expect(terminal.type).toBe('done')
      expect(readdirSync(at.cwd).toSorted()).toEqual(['.env', '.gemini', 'hello.txt'])
      expect(texts(at.spec.runId, 0).join('\n')).toContain('/compress')
    },
  )

  matrix('an @ in what it is told brings no file along', async () => {
    const prompt = 'Mail ada@lists.example. Read @docs and @/etc/hostname. Use @a/b.'
    const at = stage('answer', { prompt })
    mkdirSync(join(at.cwd, 'docs'))
    for (const name of ['docs/list.txt', 'a.txt', 'lists.txt'])
      writeFileSync(join(at.cwd, name), 'of a file\n')
    expect((await at.play()).terminal.type).toBe('done')
    const said = texts(at.spec.runId, 0).join('\n')
    expect(said).not.toContain('of a file')
    expect(said).toContain(prompt.replaceAll(/@(?=docs|\/)/g, '\\@'))
  })

  matrix("the person's login is used and their folder gets nothing but sessions", async () => {
    const at = stage('answer')
    const persons = join(at.spec.env['HOME'] ?? '', '.gemini')
    mkdirSync(persons)
    const settings = '{\n  // mine\n  "security": {"auth": {"selectedType": "gemini-api-key"}}\n}\n'
    writeFileSync(join(persons, 'settings.json'), settings)
    writeFileSync(join(persons, '.env'), 'GEMINI_API_KEY="key-of-the-file"\n')
    delete at.spec.env['GEMINI_API_KEY']
    const { terminal } = await at.play()
    expect(terminal.type).toBe('done')
    const [request] = cast.model.requests(at.spec.runId)
    expect(request?.headers['x-goog-api-key']).toBe('key-of-the-file')
    expect(readFileSync(join(persons, 'settings.json'), 'utf8')).toBe(settings)
    const made = readdirSync(persons).filter((name) => !/^projects\.json/.test(name))
    expect(made.toSorted()).toEqual(['.env', 'settings.json', 'tmp'])
  })

  matrix(
    'after a SIGKILL the tokens are told and the session goes on with what was said',
    async () => {
      const at = stage('three-tools')
      let tools = 0
      const killed = await at.play(({ type }) => {
        if (type === 'tool') tools += 1
        if (tools === 2) for (const { pid } of at.processes()) signal(pid, 'SIGKILL')
      })
      expect(killed.terminal).toMatchObject({ type: 'failed', reason: 'crash' })
      expect(lastUsage(killed)?.output).toBeGreaterThanOrEqual(34)
      const resumed = await at.resume({ prompt: 'Go on.' })
      expect(resumed.terminal.type).toBe('done')
      const last = cast.model.requests(at.spec.runId).at(-1)?.said ?? []
      expect(last.map(({ text }) => text)).toContain('[run_shell_command]')
      expect(last.map(({ text }) => text).join()).toContain('Go on.')
      const calls = last.filter(({ text }) => text === '[run_shell_command]').length
      expect(last.filter(({ from }) => from === 'tool')).toHaveLength(calls)
    },
  )

  matrix('a correction in the last words is the next turn, and its answer counts', async () => {
    const at = stage('answer')
    cast.model.script(at.spec.runId, [
      { do: 'answer', output: { answer: 1 } },
      { do: 'answer', output: { answer: 2 } },
    ])
    const played = await at.play((event, session) => {
      if (event.type === 'session' && 'model' in event)
        session.correct({ id: 'c-1', text: 'Two, please.' })
    })
    expect(played.terminal).toMatchObject({ type: 'done', output: { answer: 2 } })
    expect(texts(at.spec.runId).join()).toContain('Two, please.')
    expect(statesOf(played)).toEqual(['queued', 'delivered', 'applied'])
  })

  matrix('a conversation that grows too long is shortened, and that is told', async () => {
    const at = stage('compaction')
    const say = (word: string, usage = {}) => ({
      do: 'call' as const,
      tool: 'Bash',
      text: `I say ${word}. ${SLOW_TEXT}`,
      input: { command: `echo ${word}`, description: 'say' },
      usage,
    })
    const full = { input: 700_000, cacheRead: 0, cacheWrite: 0 }
    const end = { do: 'answer' as const, output: { answer: 1 } }
    cast.model.script(at.spec.runId, [say('zero'), end, say('one', full), say('two', full), end])
    expect((await at.play()).terminal.type).toBe('done')
    const played = await at.resume({ prompt: 'Go on.' })
    expect(played.terminal.type).toBe('done')
    expect(cast.model.requests(at.spec.runId).some(({ kind }) => kind === 'compaction')).toBe(true)
    expect(of(played, 'compaction')[0]).toMatchObject({
      trigger: 'auto',
      summary: expect.stringContaining('a scripted summary'),
    })
  })
})

describe.concurrent('Gemini CLI is detected', () => {
  const detect = async (env: Record<string, string>) =>
    (await findAdapter('gemini'))?.detect({ env })

  test('missing: with the command that installs it', async () => {
    expect(await detect({ PATH: '/nowhere' })).toMatchObject({
      found: false,
      advice: 'Install it: npm install -g @google/gemini-cli',
    })
  })

  test('found with its version, logged in or not, and no token spent', async () => {
    const { spec } = stage('answer')
    const PATH = [dirname(cast.binary), dirname(process.execPath), '/usr/bin', '/bin'].join(':')
    const { HOME = '' } = spec.env
    expect(await detect({ ...spec.env, PATH })).toMatchObject({
      found: true,
      version: GEMINI_VERSION,
      login: 'ready',
    })
    expect(await detect({ PATH, HOME })).toMatchObject({ found: true, login: 'needed' })
    expect(cast.model.requests(spec.runId)).toEqual([])
  })
})
