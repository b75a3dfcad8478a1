import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  test,
  vi,
} from 'vitest'
import type { Sandbox } from '../../contracts/agent.ts'
import { ELSEWHERE } from '../../test/agents/elsewhere.ts'
import { descendantsOf, isAlive } from '../process-tree.ts'
import { findAdapter } from '../registry.ts'
import { inSandbox } from './in-sandbox.ts'
import { sandboxProblem } from './probe.ts'

const problem = await sandboxProblem()
const where = problem ? `A sandbox (not tried: ${problem})` : 'A sandbox'

let root: string
let home: string
let work: string
let env: Record<string, string>
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dispatch-sandbox-'))
  home = join(root, 'home')
  work = join(home, '.dispatch', 'worktrees', 'p', 's-1')
  for (const folder of [work, join(home, '.ssh'), join(root, 'tmp')])
    mkdirSync(folder, { recursive: true })
  writeFileSync(join(home, '.ssh', 'id_ed25519'), 'a private key\n')
  writeFileSync(join(home, 'notes.txt'), 'private\n')
  writeFileSync(join(work, '.git'), 'gitdir: elsewhere\n')
  env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: home, TMPDIR: join(root, 'tmp') }
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const writing = (more: Partial<Sandbox> = {}): Sandbox => ({
  ...{ network: 'none', readOnly: [], writable: [work], kept: [join(work, '.git')] },
  ...more,
})

/** Runs a shell script in the sandbox; what it printed on both streams, and its exit code. */
async function run(script: string, sandbox = writing()): Promise<{ code: number; said: string }> {
  const relay = join(inject('dist'), 'sandbox-relay.cjs')
  const given = { command: '/bin/sh', args: ['-c', script], cwd: work, env }
  const inside = inSandbox(given, sandbox, relay)
  const child = spawn(inside.command, inside.args, { env: inside.env, cwd: work })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  const code = await new Promise<number>((resolve) =>
    child.once('close', (end) => resolve(end ?? -1)),
  )
  inside.close()
  return { code, said }
}

describe.skipIf(problem !== undefined)(where, () => {
  test('shows nothing of the home, no secrets of the system, and no other processes', async () => {
    const { said } = await run(
      'cat $HOME/.ssh/id_ed25519; cat $HOME/notes.txt; ls -A $HOME; cat /etc/shadow; ls /proc | grep -c "^[0-9]"; ls /root /home /var/lib 2>&1',
    )
    expect(said).not.toContain('private')
    expect(said).not.toContain('root:')
    expect(said).toContain(`${join(home, '.ssh/id_ed25519')}: No such file`)
    expect(said).toMatch(/shadow: No such file/)
    const processes = Number(/^(\d+)$/m.exec(said)?.[1])
    expect(processes).toBeLessThan(10)
  })

  test('lets the agent write in its worktree and nowhere else of the machine', async () => {
    const outside = join(root, 'outside')
    mkdirSync(outside)
    const { said } = await run(
      `echo made > made.txt; echo x > ${outside}/x; echo x > /usr/x; echo x > ../x; rm .git; echo x > .git; echo x > $HOME/x; echo x > /tmp/x; kill -0 ${process.pid} && echo reached`,
    )
    expect(readFileSync(join(work, 'made.txt'), 'utf8')).toBe('made\n')
    expect(readFileSync(join(work, '.git'), 'utf8')).toBe('gitdir: elsewhere\n')
    expect(existsSync(join(outside, 'x'))).toBe(false)
    expect(existsSync(join(home, 'x'))).toBe(false)
    expect(existsSync(join(work, '..', 'x'))).toBe(false)
    expect(said).toContain('Read-only file system')
    expect(said).not.toContain('reached')
  })

  test('is read-only by mount where the stage is', async () => {
    const { said, code } = await run('cat .git; echo x > x', {
      ...writing(),
      readOnly: [work],
      writable: [],
      kept: [],
    })
    expect(said).toContain('gitdir: elsewhere')
    expect(said).toContain('Read-only file system')
    expect(code).not.toBe(0)
  })

  test('gives an agent its own folders: copies to change, sessions that stay, settings to read', async () => {
    const folder = join(home, '.agent')
    mkdirSync(folder)
    for (const name of ['state.json', 'login.json', 'settings.json', 'private.txt'])
      writeFileSync(join(folder, name), `${name}\n`)
    const own = {
      folder,
      copied: ['state.json'],
      shared: ['sessions'],
      sharedFiles: ['login.json', 'not-there.json'],
      readOnly: ['settings.json'],
    }
    const { said } = await run(
      'cd $HOME/.agent; ls; for f in state.json login.json settings.json sessions/one new.txt; do echo changed > $f; done',
      writing({ needs: { own: [own], hosts: [] } }),
    )
    expect(said).not.toContain('private.txt')
    expect(said).toContain('settings.json: Read-only file system')
    const read = (name: string) => readFileSync(join(folder, name), 'utf8')
    expect(read('state.json')).toBe('state.json\n')
    expect(read('login.json')).toBe('changed\n')
    expect(read('settings.json')).toBe('settings.json\n')
    expect(read('sessions/one')).toBe('changed\n')
    expect(existsSync(join(folder, 'new.txt'))).toBe(false)
  })

  test('keeps apart what is left in different working folders', async () => {
    const sandbox = writing({
      needs: { own: [{ folder: join(home, '.agent'), apart: ['sessions'] }], hosts: [] },
    })
    await run('echo said here > ~/.agent/sessions/one', sandbox)
    const { said: again } = await run('cat ~/.agent/sessions/*', sandbox)
    expect(again).toBe('said here\n')
    work = join(home, '.dispatch', 'worktrees', 'p', 's-2')
    mkdirSync(work)
    const { said: elsewhere } = await run('find ~/.agent/sessions -type f', {
      ...sandbox,
      ...{ writable: [work], kept: [] },
    })
    expect(elsewhere).toBe('')
  })

  test.each(['claude', 'codex', 'gemini'])(
    '%s sees nothing of its work in other folders, and can leave nothing there',
    async (name) => {
      const others = ELSEWHERE[name]?.map((path) => join(home, path)) ?? []
      const words = '{"words": "of another project"}'
      for (const path of others) {
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, words)
      }
      const needs = (await findAdapter(name))?.needs(env, work)
      const script = [
        'cd; grep -r "of another project" .[a-z]* && echo found',
        ...others.map((path) => `mkdir -p ${dirname(path)}; echo planted > ${path}`),
      ]
      const { said } = await run(script.join('\n'), writing(needs && { needs }))
      expect(said).not.toContain('found')
      expect(others.map((path) => readFileSync(path, 'utf8'))).toEqual(others.map(() => words))
    },
  )

  test('dies as a whole with whoever started it, and leaves no process', async () => {
    const given = {
      ...{ command: '/bin/sh', cwd: work, env },
      args: ['-c', 'setsid sleep 1000 & sleep 1000 & echo up; wait'],
    }
    const { command, args } = inSandbox(given, writing())
    // a parent of its own, which is killed like a runner
    const keep = `const c = require('node:child_process').spawn(${JSON.stringify(command)}, ${JSON.stringify(args)}, { stdio: 'inherit', detached: true }); setInterval(() => {}, 1000)`
    const parent = spawn(process.execPath, ['-e', keep], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env,
    })
    await new Promise((resolve) => parent.stdout.once('data', resolve))
    const tree = descendantsOf(parent.pid ?? 0)
    expect(tree.length).toBeGreaterThanOrEqual(5)
    parent.kill('SIGKILL')
    await vi.waitFor(() => expect(tree.filter(isAlive)).toEqual([]), {
      timeout: 20_000,
      interval: 5,
    })
  })
})

describe.skipIf(problem !== undefined)(`${where}'s network`, () => {
  let model: Server
  let other: Server
  const ports = { model: 0, other: 0, raw: 0 }
  const raw = createTcpServer((socket) => socket.end('raw\n'))
  beforeAll(async () => {
    const answer = (text: string) => createServer((_, response) => response.end(text))
    model = answer('the model')
    other = answer('somebody else')
    const listen = async (server: Server | typeof raw, host: string) => {
      await new Promise<void>((resolve) => server.listen(0, host, resolve))
      return (server.address() as AddressInfo).port
    }
    ports.model = await listen(model, '127.0.0.1')
    ports.other = await listen(other, '0.0.0.0')
    ports.raw = await listen(raw, '127.0.0.1')
  })
  afterAll(() => {
    for (const server of [model, other, raw]) server.close()
  })

  const needs = () => ({ own: [], hosts: [`127.0.0.1:${ports.model}`] })
  const asks = (url: string) => `curl -sS -m 5 ${url}; echo`
  const tunnels = (url: string) => `curl -sS -m 5 -p ${url}; echo`

  test('none: this machine is not there', async () => {
    const { said } = await run(`${asks(`http://127.0.0.1:${ports.other}`)}; ls /run`)
    expect(said).not.toContain('somebody else')
    expect(said).toMatch(/[Cc]onnect/)
  })

  test('agent: its model and nothing else, through the proxy and past it', async () => {
    const sandbox = writing({ network: 'agent', needs: needs() })
    const allowed = await run(
      [asks, tunnels].map((by) => by(`http://127.0.0.1:${ports.model}/v1`)).join('\n'),
      sandbox,
    )
    expect(allowed.said.match(/the model/g)).toHaveLength(2)
    const refused = await run(
      [
        asks(`http://127.0.0.1:${ports.other}`),
        tunnels(`http://127.0.0.1:${ports.other}`),
        asks(`http://localhost:${ports.model}`),
        asks('http://example.com'),
        `curl -sS -m 5 --noproxy '*' http://127.0.0.1:${ports.model}; echo`,
      ].join('\n'),
      sandbox,
    )
    expect(refused.said).not.toMatch(/somebody else|the model/)
    expect(refused.said).toContain('does not let it reach')
    expect(refused.said).toContain('403')
  })

  test('all: any machine but this one, by whatever name or number it is called', async () => {
    const own = Object.values(networkInterfaces())
      .flat()
      .find((each) => each?.family === 'IPv4' && !each.internal)?.address
    const names = [
      '127.0.0.1',
      'localhost',
      '127.1',
      '0.0.0.0',
      '[::1]',
      '[::ffff:127.0.0.1]',
      ...(own ? [own] : []),
    ]
    const urls = names.map((name) => `http://${name}:${ports.other}`)
    const script = [
      ...urls.map(asks),
      ...urls.map(tunnels),
      tunnels(`http://127.0.0.1:${ports.raw}`),
    ].join('\n')
    const { said } = await run(script, writing({ network: 'all', needs: needs() }))
    expect(said).not.toMatch(/somebody else|raw/)
    const model = await run(
      asks(`http://127.0.0.1:${ports.model}`),
      writing({ network: 'all', needs: needs() }),
    )
    expect(model.said).toContain('the model')
  })

  test("Dispatch's own servers on other machines are not reached, by whatever name", async () => {
    const never = [`localhost:${ports.model}`]
    const sandbox = writing({ network: 'all', needs: needs(), never })
    const url = `http://127.0.0.1:${ports.model}`
    const { said } = await run([asks(url), tunnels(url)].join('\n'), sandbox)
    expect(said).not.toContain('the model')
  })
})

test('without bubblewrap, and where it is not allowed, it is said what to do', async () => {
  expect(await sandboxProblem('/nowhere/bwrap')).toContain('apt-get install bubblewrap')
  expect(await sandboxProblem('/bin/false')).toContain('Allow user namespaces')
})
