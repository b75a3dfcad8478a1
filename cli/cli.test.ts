import { execFile, execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createHome, distDir } from '../config/home.ts'
import type { EventBody } from '../contracts/events.ts'
import type { ChecklistItem, SecondOpinion } from '../contracts/schemas.ts'
import { GLOBAL_OPTIONS } from './command.ts'
import { commands } from './commands.ts'
import { eventLine } from './event-line.ts'
import { takeLock } from './supervisor/lock.ts'
import { startFixtureApi } from './testing/fixture-api.ts'
import {
  adapter as baseAdapter,
  goal as baseGoal,
  run as baseRun,
  goalSummary,
  ids,
  problem,
  project,
  review,
  reviewDiff,
  reviewSummary,
  settings,
  specReview,
  stage,
  task,
} from './testing/fixtures.ts'
import { result, runCli, startCli } from './testing/run-cli.ts'

let api: Awaited<ReturnType<typeof startFixtureApi>>
let dir: string

beforeAll(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'dispatch-cli-')))
  mkdirSync(join(dir, 'repo', '.git'), { recursive: true })
  writeFileSync(join(dir, 'repo', '.git', 'HEAD'), 'ref: refs/heads/main\n')
  mkdirSync(join(dir, '.git')) // empty: no repository, to git neither
  mkdirSync(join(dir, 'repo', 'src'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))
beforeEach(async () => {
  api = await startFixtureApi()
})
afterEach(() => api.close())

const cli = (args: string[], options: Parameters<typeof runCli>[1] = {}) =>
  runCli([...args, '--url', api.url, '--home', join(dir, 'home')], {
    ...options,
    // what it keeps for a person goes with the folder
    env: { TMPDIR: dir, ...options.env },
  })

describe('every command', () => {
  const lines: [string[], RegExp][] = [
    [['goals'], /^G-12\tactive\timplement\t1\t1500\tshop\t.*\tBuild auth module\n$/],
    [['goal', 'show', 'g12'], /G-12 Build auth module[\s\S]*T-31[\s\S]*dispatch approve R-9/],
    [['goal', 'pause', 'G-12'], /^G-12 paused\n$/],
    [['goal', 'resume', 'G-12'], /^G-12 active\n$/],
    [['goal', 'cancel', 'G-12', '--reason', 'no'], /^G-12 cancelled\n$/],
    [['goal', 'retry', 'G-12'], /^G-12 active\n$/],
    [['goal', 'a text', '--project', 'shop'], /^G-12\tBuild auth module\n$/],
    [['tasks', 'pending', '--goal', 'G-12'], /^T-31\tpending\t/],
    [['suggestions'], /^S-3\tshop\tDemo\t3 times\tUse tabs\.\n$/],
    [['suggestions', 'accept', 'S-3', '--into', 'profile'], /^S-3 accepted by me: Use tabs\.\n$/],
    [['suggestions', 'dismiss', 'S-3'], /^S-3 dismissed by me: Use tabs\.\n$/],
    [['tasks', 'agent', 'T-31', 'codex', '--model', 'gpt-5'], /^T-31\tcodex gpt-5\n$/],
    [['tasks', 'agent', 'T-31', '--as-profile'], /^T-31\tas its profile says\n$/],
    [['projects', 'conventions', 'P-1', '--set', 'Use tabs.'], /^Use tabs\.\n$/],
    [['reviews'], /^R-9\tpending\ttask\tblock\tT-31\t/],
    [['review', 'R-9'], /src\/auth\.ts\t\+40\t-2\thigh\tsign-in[\s\S]*Passwords are hashed/],
    [['diff', 'T-31'], /^diff --git a\/src\/auth\.ts b[\s\S]*\n same\n$/],
    [['diff', 'G-12'], /^diff --git/],
    [['approve', 'R-9', '--yes', '--checklist', 'c2'], /R-9 approved by me \(cli\)/],
    [
      ['reject', 'T-31', 'wrong approach'],
      /^R-9 rejected by me.*\nG-12 is cancelled with it.*dispatch goal show G-12/,
    ],
    [['request-changes', 'R-9', 'other name'], /^R-9 /],
    [['agents', '--status', 'running'], /^A-7\trunning\tG-12\timplement\tdemo \(demo\)\t/],
    [['logs', 'A-7'], /^hello\n$/],
    [['status'], /ready\tyes\n[\s\S]*reviews\t1 waiting/],
    [['pool'], /^running\tG-12[\s\S]*#1\tG-12/],
    [['pool', 'status'], /^running\tG-12/],
    [['pool', 'pause'], /^running/],
    [['pool', 'resume'], /^running/],
    [['projects'], /^P-1\tshop\tmain\tno\ttest\t\/srv\/shop\n$/],
    [['projects', 'add', '.'], /^P-1\tshop\t\/srv\/shop\n$/],
    [['projects', 'trust', 'P-1'], /^P-1\tshop\ttrusted\n$/],
    [['projects', 'sandbox', 'P-1'], /^P-1\tshop\tnone\n$/],
    [['projects', 'sandbox', 'P-1', 'bwrap', '--network', 'none'], /^P-1\tshop\t/],
    [['profiles'], /^Demo\tdemo\t/],
    [['profiles', 'show', 'Demo'], /^name\tDemo\nspec\tdemo\n/],
    [['profiles', 'set', 'Mine', 'all', 'codex'], /^name\tDemo\nspec\tdemo\n[\s\S]*Use tabs/],
    [['profiles', 'create', 'Careful', '--from', 'Demo'], /^name\tCareful\n/],
    [['profiles', 'delete', 'Careful'], /^Careful deleted\n$/],
    [['settings'], /maxConcurrent\t3\n/],
    [['settings', 'maxConcurrent'], /^maxConcurrent\t3\n$/],
    [['settings', 'maxConcurrent', '5'], /^maxConcurrent\t5\n$/],
    [
      ['ledger', '--by', 'day', '--from', '2026-01-01'],
      /^G-12\t3\t1000\t500\t0\t0\t0\t1500\t0%\tunknown\tBuild auth module\n$/,
    ],
    [['adapters', 'rescan'], /^asked\n$/],
    [['adapters'], /^demo \(demo\)\tyes\t/],
    [['events'], /^1\t.*\tperson:me\tgoal filed: Build auth module\n$/],
  ]

  it.each(lines)('%j prints plain lines in a pipe', async (args, expected) => {
    const { code, stdout, stderr } = await cli(args)
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(expected)
    expect(stdout).not.toContain('\u001b')
  })

  it.each(lines)('%j --json prints one document and nothing else', async (args) => {
    const { code, stdout, stderr } = await cli([...args, '--json'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const whole = JSON.parse(stdout)
    expect(whole).toBeTypeOf('object')
    const fields = Object.keys(whole.items?.[0] ?? whole)
    const chosen = await cli([...args, `--json=${fields.join(',')}`])
    expect(JSON.parse(chosen.stdout || chosen.stderr)).toEqual(whole)
  })

  it('prints the fields that are chosen alone, and says which there are before it does anything', async () => {
    const listed = JSON.parse((await cli(['goals', '--json=title,shortId'])).stdout)
    expect(listed).toEqual({ items: [{ title: 'Build auth module', shortId: 'G-12' }], next: null })
    expect(JSON.parse((await cli(['goal', 'show', 'G-12', '--json=stage'])).stdout)).toEqual({
      stage: 'implement',
    })
    api.received.splice(0)
    for (const [asked, advice] of [
      ['titel', 'Did you mean title? Its fields are id, shortId, title, '],
      ['title,', 'Its fields are id, shortId, title, '],
    ]) {
      const { code, stderr } = await cli(['goal', 'Do it', '--project', 'shop', `--json=${asked}`])
      expect(code).toBe(2)
      expect(JSON.parse(stderr).advice).toContain(advice)
    }
    expect((await cli(['demo', '--json=x'])).code).toBe(2)
    const apart = await cli(['goals', '--json', 'id,title'])
    expect(apart).toMatchObject({ code: 2, stderr: expect.stringContaining('--json=id,title') })
    expect(api.received).toEqual([])
  })

  it('has help with an example that names it', async () => {
    for (const { name, examples } of commands) {
      expect(examples.join('\n')).toContain(`dispatch ${name}`)
      for (const example of examples) expect(example).toContain('dispatch ')
    }
    const { stdout, code } = await cli(['approve', '--help'])
    expect(code).toBe(0)
    expect(stdout.indexOf('Examples:')).toBeLessThan(stdout.indexOf('Options:'))
    expect(JSON.parse((await cli(['--help', '--json'])).stdout).commands).toHaveLength(
      commands.length,
    )
    expect(await cli(['help', 'approve'])).toEqual({ code, stdout, stderr: '' })
    expect(await cli(['help', 'goal', 'show'])).toEqual(await cli(['goal', 'show', '--help']))
    expect(await cli(['help'])).toEqual(await cli(['--help']))
    expect(await cli(['help', 'approoove'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Unknown command "approoove".'),
    })
  })

  it('gives an option one type everywhere, so that a line can be read before its command is known', () => {
    const types = new Map(
      Object.entries(GLOBAL_OPTIONS).map(([name, { type }]) => [name, type as string]),
    )
    for (const command of commands) {
      for (const [name, { type }] of Object.entries(command.options)) {
        expect(types.get(name) ?? type, `--${name} of ${command.name}`).toBe(type)
        types.set(name, type)
      }
    }
  })
})

describe('changing a profile', () => {
  it('says who does a stage, with which model, and who besides', async () => {
    const line =
      'profiles set Mine implement codex/gpt-5 --second-opinion none --fallbacks gemini,acp/a/b'
    expect((await cli(line.split(' '))).code).toBe(0)
    expect(api.received[0]).toMatchObject({ route: 'updateProfile', params: { id: 'Mine' } })
    expect(api.received[0]?.body).toEqual({
      ...{ stages: { implement: { adapter: 'codex', model: 'gpt-5' } }, secondOpinion: null },
      fallbacks: [{ adapter: 'gemini' }, { adapter: 'acp', model: 'a/b' }],
    })
    for (const [network, stored] of [
      ['none', 'none'],
      ['project', null],
    ] as const) {
      await cli(['profiles', 'set', 'Demo', '--network', network])
      expect(api.received.at(-1)?.body).toEqual({ network: stored })
    }
    expect((await cli(['profiles', 'set', 'Demo', '--network', 'wide'])).code).toBe(2)
    expect((await cli(['profiles', 'set', 'Demo'])).code).toBe(2)
    expect((await cli(['profiles', 'set', 'Demo', 'implement'])).code).toBe(2)
    const two = await cli('profiles set Demo spec claude verify claude'.split(' '))
    expect(two).toMatchObject({ code: 2, stderr: expect.stringContaining('One stage at a time') })
  })

  it('takes all for all: nobody works instead, unless that is said too', async () => {
    const alone = await cli(['profiles', 'set', 'Mine', 'all', 'codex'])
    expect(api.received.at(-1)?.body).toMatchObject({ fallbacks: [] })
    expect(alone.stderr).toContain('dispatch profiles set Mine --fallbacks auto')
    const helped = await cli('profiles set Mine all codex --fallbacks auto'.split(' '))
    expect(api.received.at(-1)?.body).toMatchObject({ fallbacks: [{ adapter: 'auto' }] })
    expect(helped.stderr).toBe('')
  })
})

describe('choosing the program of an agent', () => {
  it('ends when the workers have looked at it, and says what it is', async () => {
    const old = { ...baseAdapter, adapter: 'claude', title: 'Claude Code', binary: '/old' }
    const looked = { type: 'settings.changed', data: { keys: ['adapters'] } }
    api.answer('listEvents', () => ({ items: [], next: null }))
    api.answer('listAdapters', () => ({ items: [old], next: null }))
    const setting = cli(['settings', 'claudePath', '/new'])
    await api.subscribed('system')
    // a look that was under way when the path was set
    api.push('system', looked)
    api.answer('listAdapters', () => {
      api.answer('listAdapters', () => ({
        items: [{ ...old, version: '2.1.500', binary: '/new' }],
        next: null,
      }))
      api.push('system', looked)
      return { items: [old], next: null }
    })
    const { code, stderr } = await setting
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining('Claude Code 2.1.500 is at /new'),
    })
  })
})

it('an agent that is not there is given a task, and that is said', async () => {
  const codex = { ...baseAdapter, adapter: 'codex', title: 'Codex', demo: false }
  const advice = 'Install it: npm install -g @openai/codex'
  api.answer('listAdapters', () => ({ items: [{ ...codex, found: false, advice }], next: null }))
  const given = await cli(['tasks', 'agent', 'T-31', 'codex'])
  expect(given).toMatchObject({ code: 0, stdout: 'T-31\tcodex\n' })
  expect(given.stderr).toBe(`Codex is not found. ${advice}\n`)
  api.answer('listAdapters', () => ({ items: [codex], next: null }))
  expect((await cli(['tasks', 'agent', 'T-31', 'codex'])).stderr).toBe('')
})

it('a setting that takes another along says so', async () => {
  api.answer('updateSettings', () => ({ ...settings, maxConcurrent: 1, maxPerGoal: 1 }))
  const { stdout } = await cli(['settings', 'maxConcurrent', '1'])
  expect(stdout).toBe('maxConcurrent\t1\nmaxPerGoal\t1\n')
})

describe('an empty value', () => {
  it('clears a setting or conventions, and is refused where something must be said', async () => {
    expect((await cli(['settings', 'claudePath', ''])).code).toBe(0)
    expect(api.received.at(-1)).toMatchObject({ route: 'updateSettings', body: { claudePath: '' } })
    for (const args of [['--set', ''], ['--set=']]) {
      await cli(['projects', 'conventions', 'P-1', ...args])
      expect(api.received.at(-1)).toMatchObject({ body: { conventions: '' } })
    }
    await cli(['profiles', 'set', 'Demo', '--set', ''])
    expect(api.received.at(-1)).toMatchObject({ body: { conventions: '' } })
    for (const args of [
      ['goal', '', '--project', 'shop'],
      ['profiles', 'set', 'Demo', '--name='],
    ])
      expect(await cli(args), args.join(' ')).toMatchObject({ code: 2 })
  })
})

it('shows what a check printed beneath the check, and earlier decisions by the names that they have elsewhere', async () => {
  const [item] = review.checklist
  const round = { shortId: 'R-8', attempt: 1, summary: null, at: review.createdAt }
  api.answer('getReview', () => ({
    ...review,
    checklist: [{ ...item, evidence: '\n> lint\nok\n\n' } as ChecklistItem],
    history: [{ ...round, decision: 'request_changes', comment: 'Smaller', by: 'person:ada' }],
  }))
  const { stdout } = await cli(['review', 'R-9'])
  const under = ' '.repeat(12)
  expect(stdout).toContain(
    `✓ pass      Passwords are hashed\n${under}\n${under}> lint\n${under}ok\nattempt 1: changes requested by ada: Smaller\n`,
  )
})

describe('a second opinion', () => {
  it('stands beneath verify’s where they differ, and a missing one cannot be overlooked', async () => {
    const second = { adapter: 'codex', result: 'fail', evidence: 'auth.ts:30', disagrees: true }
    const opinion: SecondOpinion = {
      ...{ adapter: 'codex', model: null, status: 'given', reason: null, items: [] },
    }
    const [item] = review.checklist
    const disputed = { ...item, second } as ChecklistItem
    api.answer('getReview', () => ({
      ...{ ...review, secondOpinion: opinion, checklist: [disputed] },
    }))
    const { stdout } = await cli(['review', 'R-9'])
    expect(stdout).toMatch(
      /second {2}codex disagrees on 1 security items[\s\S]*✓ pass {6}Passwords are hashed\n.*auth\.ts:12\n {2}disagrees codex: ✗ fail\n.*auth\.ts:30/,
    )
    const missing: SecondOpinion = {
      ...opinion,
      ...{ status: 'missing', reason: 'codex is not installed' },
    }
    api.answer('getReview', () => ({ ...review, secondOpinion: missing }))
    expect((await cli(['review', 'R-9'])).stdout).toContain('MISSING, of codex: codex is not')
  })
})

describe('correcting an agent', () => {
  it('sends the text to the run and says how to follow it', async () => {
    const { code, stdout, stderr } = await cli(['correct', 'a7', 'Use tabs.'])
    expect(code).toBe(0)
    expect(stdout).toContain('queued')
    expect(stderr).toContain('dispatch logs A-7 --follow')
    expect(api.received[0]?.body).toEqual({ text: 'Use tabs.' })
    expect(await cli(['correct', 'G-7', 'x'])).toMatchObject({ code: 2 })
  })
})

describe('filing a goal', () => {
  it('takes the repository around the working directory as the project', async () => {
    const { code } = await cli(
      [
        'goal',
        'Do it',
        '--budget',
        '2m',
        '--task-budget',
        '200k',
        '--target',
        'dev',
        '--skip-spec-review',
      ],
      {
        cwd: join(dir, 'repo', 'src'),
      },
    )
    expect(code).toBe(0)
    const [sent] = api.received
    expect(sent?.body).toEqual({
      project: join(dir, 'repo'),
      description: 'Do it',
      targetBranch: 'dev',
      tokenBudget: 200_000,
      goalBudget: 2_000_000,
      skipSpecReview: true,
    })
    expect(sent?.idempotencyKey).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('says which branch it merges into, and that this is not the one checked out', async () => {
    const at = (...args: string[]) => cli(['goal', 'Do it', ...args], { cwd: join(dir, 'repo') })
    const head = join(dir, 'repo', '.git', 'HEAD')
    expect((await at()).stderr).toContain('It merges into main.')
    writeFileSync(head, 'ref: refs/heads/feature/x\n')
    const elsewhere = 'It merges into main (you are on feature/x): '
    expect((await at()).stderr).toContain(
      `${elsewhere}to merge there instead, file it with --target feature/x.`,
    )
    for (const args of [
      ['--target', 'main'],
      ['--project', 'other'],
    ])
      expect((await at(...args)).stderr).toContain('It merges into main.')
    mkdirSync(join(dir, 'linked'))
    writeFileSync(join(dir, 'linked', '.git'), `gitdir: ${join(dir, 'repo', '.git')}\n`)
    const linked = await cli(['goal', 'Do it'], { cwd: join(dir, 'linked') })
    expect(linked.stderr).toContain(elsewhere)
    writeFileSync(head, 'ref: refs/heads/main\n')
    const added = await cli(['projects', 'add', '.'], { cwd: join(dir, 'repo') })
    expect(added.stderr).toContain('Goals there merge into main,')
  })

  it('says who worked on a stage that is over, and why', async () => {
    const agentReason = 'codex instead of claude, which is not installed'
    const spec = stage({ stage: 'spec', status: 'passed', adapters: ['codex'], agentReason })
    api.answer('getGoal', () => ({ ...baseGoal, stages: [spec] }))
    const { stdout } = await cli(['goal', 'show', 'G-12'])
    expect(stdout).toMatch(/^Spec\tpassed\t1\t\S+\tcodex\tcodex instead of claude, which/m)
  })

  it('calls no task active that nobody works on: its goal is paused, or it waits', async () => {
    const paused = { ...task, status: 'active', idle: 'paused' } as const
    api.answer('listTasks', () => ({ items: [paused], next: null }))
    expect((await cli(['tasks'])).stdout).toMatch(/^T-31\tpaused\t/)
    api.answer('getGoal', () => ({ ...baseGoal, tasks: [{ ...paused, idle: 'waiting' }] }))
    expect((await cli(['goal', 'show', 'G-12'])).stdout).toMatch(/^T-31\twaiting\t/m)
  })

  it('says what ends the wait of a goal that is paused or needs attention', async () => {
    const words = async (status: 'active' | 'paused' | 'needs_attention') => {
      api.answer('getGoal', () => ({ ...baseGoal, status }))
      return (await cli(['goal', 'show', 'G-12'])).stderr
    }
    expect(await words('active')).toBe('')
    expect(await words('paused')).toBe('Go on: dispatch goal resume G-12\n')
    expect(await words('needs_attention')).toMatch(/goal retry G-12; or end it: .* cancel G-12\n$/)
  })

  it("names a goal's branch where the person's repository has it, which its reason says", async () => {
    const branch = 'dispatch/G-12-build-auth-module'
    const named = async (reason: string | null) => {
      api.answer('getGoal', () => ({ ...baseGoal, branch, reason }))
      return (await cli(['goal', 'show', 'G-12'])).stdout.split(branch).length - 1
    }
    expect(await named(null)).toBe(0)
    expect(await named(`Cancelled; the work is kept in ${branch}`)).toBe(1)
  })

  it('takes a path as that of the repository around it, wherever a project is named', async () => {
    const named = async (...args: string[]) => {
      await cli(args, { cwd: join(dir, 'repo', 'src') })
      const { params, query, body } = api.received[0] ?? {}
      api.received.splice(0)
      return params?.['id'] ?? query?.['project'] ?? (body as { project?: string })?.project
    }
    const root = join(dir, 'repo')
    expect(await named('projects', 'trust', '.')).toBe(root)
    expect(await named('projects', 'sandbox', root)).toBe(root)
    expect(await named('goals', '--project', '../src')).toBe(root)
    expect(await named('ledger', '--project', '..')).toBe(root)
    expect(await named('goal', 'Do it', '--project', '.')).toBe(root)
    expect(await named('projects', 'trust', 'shop')).toBe('shop')
    expect(await named('projects', 'trust', 'org/shop')).toBe('org/shop')
  })

  it('says which agent works on it, or what keeps it from that', async () => {
    const filed = await cli(['goal', 'Do it', '--project', 'shop'])
    expect(filed).toMatchObject({ code: 0, stderr: expect.any(String) })
    expect(filed.stderr).toContain('Demo agent (built in) works on it (profile Demo)')
    api.answer('listAdapters', () => ({ items: [], next: null }))
    const missing = await cli(['goal', 'Do it', '--project', 'shop'])
    expect(missing).toMatchObject({ code: 0, stderr: expect.stringContaining('is not found') })
    const claude = { ...baseAdapter, adapter: 'claude', title: 'Claude Code', demo: false }
    api.answer('listAdapters', () => ({ items: [claude], next: null }))
    const profile = { ...baseGoal.profile, fallbacks: [{ adapter: 'auto' }] }
    api.answer('getGoal', () => ({ ...baseGoal, profile }))
    const instead = await cli(['goal', 'Do it', '--project', 'shop'])
    expect(instead.stderr).toContain(
      'demo is not found: an agent that Auto Model chooses works in its place',
    )
    expect(instead.stderr).toContain('Instead, when it is limited or not there: auto.')
    expect(filed.stderr).not.toContain('Instead')
  })

  it('reads the text from stdin', async () => {
    await cli(['goal', '-', '--project', 'shop'], { stdin: 'many\nlines\n' })
    expect(api.received[0]?.body).toMatchObject({ description: 'many\nlines\n' })
    const empty = await cli(['goal', '-', '--project', 'shop'])
    expect(empty).toMatchObject({ code: 2, stderr: expect.stringContaining('stdin was empty') })
    expect(empty.stderr).not.toContain('is kept')
  })

  it('keeps what came by stdin when it is refused, unless that is a file of the person', async () => {
    api.answer('createGoal', () => problem({ status: 404, code: 'project_unknown' }))
    const given = ['goal', '-', '--project', 'shop']
    const refused = await cli(given, { stdin: 'long thought\n' })
    const file = /What you gave is kept in (\S+)/.exec(refused.stderr)?.[1] ?? ''
    expect(readFileSync(file, 'utf8')).toBe('long thought\n')
    expect(statSync(file).mode & 0o077).toBe(0)
    const nowhere = await cli(given, {
      stdin: 'long thought\n',
      env: { TMPDIR: join(dir, 'none') },
    })
    expect(nowhere.code).toBe(66)
    expect(nowhere.stderr).toMatch(
      /could not be kept in a file \(ENOENT.*\)\. It was:\nlong thought\n$/,
    )
    rmSync(dirname(file), { recursive: true })
    const wish = join(dir, 'wish.md')
    writeFileSync(wish, 'long thought\n')
    const stdinFile = openSync(wish, 'r')
    const again = await cli(given, { stdinFile })
    closeSync(stdinFile)
    expect(again.stderr).not.toContain('is kept')
  })

  it('says what to do outside a repository and in an unknown one', async () => {
    expect(await cli(['goal', 'Do it'], { cwd: dir })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--project <path>'),
    })
    api.answer('createGoal', () => problem({ status: 404, code: 'project_unknown' }))
    expect(await cli(['goal', 'Do it'], { cwd: join(dir, 'repo') })).toMatchObject({
      code: 66,
      stderr: expect.stringContaining('dispatch projects add'),
    })
    const detail = 'There is no profile "project".'
    api.answer('createGoal', () => ({ ...problem({ status: 404, code: 'not_found' }), detail }))
    const { stderr } = await cli(['goal', 'Do it', '--profile', 'project'], {
      cwd: join(dir, 'repo'),
    })
    expect(stderr).toContain(detail)
    expect(stderr).not.toContain('dispatch projects add')
  })

  it('says that the folder one is in is gone, where a folder is needed', async () => {
    const inGone = (...args: string[]) => {
      const gone = mkdtempSync(join(dir, 'gone-'))
      const given = [...args, '--url', api.url, '--home', join(dir, 'home')]
      const script = ['-c', 'rmdir "$PWD" && exec "$@"', 'sh', process.execPath]
      return result(spawn('sh', [...script, join(distDir(), 'cli.cjs'), ...given], { cwd: gone }))
    }
    for (const args of [
      ['goal', 'Do it'],
      ['projects', 'add', '.'],
      ['projects', 'add'],
    ])
      expect(await inGone(...args), args.join(' ')).toMatchObject({
        code: 66,
        stderr: expect.stringContaining('The folder that you are in is gone'),
      })
    expect(await inGone('status')).toMatchObject({ code: 0 })
    expect(await inGone('goals', '--project', 'shop')).toMatchObject({ code: 0 })
    expect(await inGone('goal', 'Do it', '--project', join(dir, 'repo'))).toMatchObject({ code: 0 })
  })

  it('files no goal for a mistyped subcommand or an id', async () => {
    expect((await cli(['goal', 'pasue'])).stderr).toContain('Did you mean dispatch goal pause?')
    expect((await cli(['goal', 'shwo', 'G-1'])).stderr).toContain(
      'Did you mean dispatch goal show?',
    )
    expect((await cli(['goal', 'G-12'])).stderr).toContain('Did you mean dispatch goal show G-12?')
    expect(api.received).toEqual([])
  })

  it('takes words after -- as text', async () => {
    const { code } = await runCli(['goal', '--project', 'shop', '--url', api.url, '--', 'show'])
    expect(code).toBe(0)
    expect(api.received[0]?.body).toMatchObject({ description: 'show' })
  })
})

describe('approving', () => {
  it('off a terminal needs --yes or --hash', async () => {
    const { code, stderr } = await cli(['approve', 'R-9'])
    expect(code).toBe(2)
    expect(stderr).toContain('--yes')
    expect(api.received.some(({ route }) => route === 'decideReview')).toBe(false)
    api.answer('getReview', () => problem({ status: 404, code: 'not_found' }))
    expect((await cli(['approve', 'R-999'])).code).toBe(66)
  })

  it('sends the hash and the checklist that it showed', async () => {
    const args = ['approve', 'R-9', '--yes', '--checklist', 'c2', '--comment', 'read it']
    const { stdout } = await cli(args)
    expect(stdout).toContain('Sessions end')
    expect(api.received.at(-1)?.body).toEqual({
      decision: 'approve',
      hash: review.hash,
      via: 'cli',
      checklist: ['c1', 'c2'],
      comment: 'read it',
    })
  })

  it('ticks off nothing that did not pass, unless it is named', async () => {
    for (const unattended of [['--yes'], ['--hash', review.hash]]) {
      const { code, stderr } = await cli(['approve', 'R-9', ...unattended])
      expect(code).toBe(5)
      expect(stderr).toContain('1 item of R-9 did not pass:\n  ! c2: Sessions end (warn)')
      expect(stderr).toContain('--checklist c2')
    }
    const second = { adapter: 'codex', result: 'fail', evidence: null, disagrees: true } as const
    api.answer('getReview', () => ({
      ...review,
      checklist: [{ id: 'c1', text: 'Hashed', result: 'pass', evidence: null, second }],
    }))
    const disputed = await cli(['approve', 'R-9', '--yes'])
    expect(disputed.stderr).toContain('c1: Hashed (disputed by codex)')
    const unknown = await cli(['approve', 'R-9', '--yes', '--checklist', 'c9'])
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('has no c9') })
    expect(api.received.some(({ route }) => route === 'decideReview')).toBe(false)
    expect((await cli(['approve', 'R-9', '--yes', '--checklist', 'all'])).code).toBe(0)
  })

  it.each(['T-31', 'G-12', ids.task])('finds the pending review of %s', async (id) => {
    api.answer('getReview', ({ params }) =>
      params['id'] === ids.review || params['id'] === 'R-9'
        ? review
        : problem({ status: 404, code: 'not_found' }),
    )
    const args = ['approve', id, '--hash', review.hash, '--checklist', 'c2']
    expect(await cli(args)).toMatchObject({ code: 0 })
    expect(api.received.at(-1)).toMatchObject({ route: 'decideReview', params: { id: ids.review } })
  })

  it('lists several and decides none', async () => {
    api.answer('listReviews', () => ({
      items: [reviewSummary, { ...reviewSummary, shortId: 'R-10', title: 'Merge' }],
      next: null,
    }))
    const { code, stderr } = await cli(['approve', 'G-12', '--yes'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/R-9[\s\S]*R-10[\s\S]*dispatch approve R-9/)
    expect(api.received.some(({ route }) => route === 'decideReview')).toBe(false)
  })

  it('sends a spec that was changed in a file or on stdin', async () => {
    api.answer('getReview', () => specReview)
    const edits = { ...specReview.spec?.content, title: 'Sign in' }
    const file = join(dir, 'spec.json')
    writeFileSync(file, JSON.stringify(edits))
    expect((await cli(['approve', 'R-9', '--yes', '--edits', file])).stdout).toContain(
      'approved by me (cli), with your changes',
    )
    expect(api.received.at(-1)?.body).toMatchObject({ decision: 'approve', edits })
    await cli(['approve', 'R-9', '--yes', '--edits', '-'], { stdin: JSON.stringify(edits) })
    expect(api.received.at(-1)?.body).toMatchObject({ edits })
    // as `review --json=spec` prints it, and what a person may take out of that
    for (const spec of [{ spec: { ...specReview.spec, content: edits } }, { content: edits }]) {
      await cli(['approve', 'R-9', '--yes', '--edits', '-'], { stdin: JSON.stringify(spec) })
      expect(api.received.at(-1)?.body).toMatchObject({ edits })
    }
    api.answer('decideReview', () => problem({ status: 422, code: 'invalid' }))
    const refused = await cli(['approve', 'R-9', '--yes', '--edits', '-'], { stdin: '{"tasks":1}' })
    expect(refused.stderr).toContain('It must be what "dispatch review R-9 --json=spec" prints')
    const seen = { version: 2, ...specReview.spec, content: edits }
    api.answer('getReview', () => ({ ...specReview, edited: true, spec: seen as never }))
    expect((await cli(['review', 'R-9'])).stdout).toContain('edited when it was approved: Sign in')
    api.answer('getReview', () => specReview)
    const broken = await cli(['approve', 'R-9', '--yes', '--edits', '-'], { stdin: '{' })
    expect(broken).toMatchObject({ code: 2, stderr: expect.stringContaining('stdin is not JSON') })
  })

  it('edits nothing but a spec', async () => {
    const { code, stderr } = await cli(['approve', 'R-9', '--yes', '--edits', 'x.json'])
    expect(code).toBe(2)
    expect(stderr).toContain('only a spec can be edited')
  })

  it('shows the patch of what waits, and none of what has moved on', async () => {
    const { stdout } = await cli(['approve', 'R-9', '--yes', '--checklist', 'c2', '--diff'])
    expect(stdout).toMatch(/Sessions end[\s\S]*^\+const hidden = 1\^M\^\[\[8m \/\/ and more$/m)
    api.answer('getReview', () => ({ ...review, head: 'c'.repeat(40) }))
    const moved = await cli(['diff', 'R-9'])
    expect(moved).toMatchObject({ code: 5, stderr: expect.stringContaining('has moved on') })
    api.answer('getReview', () => specReview)
    expect(await cli(['diff', 'R-9'])).toMatchObject({
      code: 66,
      stderr: expect.stringContaining('has no diff'),
    })
  })

  it('shows the patch of a merge that waits, by its own id and by that of its goal, and before an approval', async () => {
    const merge = { ...reviewSummary, kind: 'merge', taskId: null } as const
    api.answer('getReview', () => ({ ...review, ...merge }))
    api.answer('getGoal', () => ({ ...baseGoal, reviews: [merge] }))
    const lefts = { ...reviewDiff, files: reviewDiff.files.map((f) => ({ ...f, patch: null })) }
    let asked = 0
    api.answer('getReviewDiff', () => (asked++ === 0 ? lefts : reviewDiff))
    expect((await cli(['diff', 'R-9'])).stdout).toContain('+of the merge')
    expect(asked).toBe(1 + reviewDiff.files.length) // what was left out is asked for
    expect((await cli(['diff', 'G-12'])).stdout).toContain('+of the merge')
    const given = ['approve', 'R-9', '--yes', '--checklist', 'c2', '--diff']
    expect((await cli(given)).stdout).toContain('+of the merge')
  })

  it('is made though nobody reads what it says of it, and says when it cannot be written', async () => {
    const given = ['approve', 'R-9', '--yes', '--checklist', 'c2']
    const child = startCli([...given, '--url', api.url, '--home', join(dir, 'home')])
    child.stdout?.destroy()
    expect(await result(child)).toMatchObject({ code: 0 })
    expect(api.received.map(({ route }) => route)).toContain('decideReview')
    const full = openSync('/dev/full', 'w')
    const refused = await cli(['goals'], { stdoutFile: full })
    closeSync(full)
    expect(refused).toMatchObject({ code: 1 })
    expect(refused.stderr).toMatch(/^error: The output cannot be written: ENOSPC[^\n]*\n$/)
  })

  it('says who was first, and what moved', async () => {
    api.answer('decideReview', () =>
      problem({
        status: 409,
        code: 'already_decided',
        detail: 'R-9 was already rejected by ada',
        current: { decidedBy: 'ada', via: 'ui' },
      }),
    )
    const { code, stderr } = await cli(['approve', 'R-9', '--yes', '--checklist', 'all'])
    expect(code).toBe(5)
    expect(stderr).toMatch(/already rejected by ada\n.*decidedBy: ada/)
    const sentBack = { status: 'changes_requested', decidedBy: 'person:ada', via: 'ui' } as const
    api.answer('getReview', () => ({ ...review, ...sentBack }))
    const late = await cli(['approve', 'R-9', '--yes'])
    expect(late.stderr).toContain('R-9 was decided before: changes requested by ada (ui)')
  })
})

describe('a goal that needs attention', () => {
  const inNeed = {
    ...goalSummary,
    ...{ shortId: 'G-4', status: 'needs_attention' as const, reason: 'The merge is stale\nmore' },
  }
  const only = ({ query }: { query: Record<string, string> }) => ({
    items: query['status'] === 'needs_attention' ? [inNeed] : [],
    next: null,
  })

  it('is shown by status and reviews, which say that nothing waits only when that is so', async () => {
    api.answer('listReviews', () => ({ items: [], next: null }))
    expect((await cli(['reviews'])).stderr).toContain('Nothing waits for you.')
    api.answer('listGoals', only)
    const { stdout, stderr } = await cli(['status'])
    expect(stdout).toContain('goals\t0 active, 1 need attention: G-4\n')
    expect(stderr).toContain('G-4 needs attention: The merge is stale\n')
    const reviews = await cli(['reviews'])
    expect(reviews.stderr).toContain('G-4 needs attention: The merge is stale')
    expect(reviews.stderr).not.toContain('Nothing waits')
    expect(JSON.parse((await cli(['reviews', '--json'])).stdout).goalsInNeed).toHaveLength(1)
  })

  it('is not left out of what can be done where there are several', async () => {
    const numbered = (count: number) => ({
      items: Array.from({ length: count }, (_, n) => ({ ...inNeed, shortId: `G-${n + 1}` })),
      next: null,
    })
    api.answer('listGoals', () => numbered(3))
    const { stderr } = await cli(['reviews'])
    expect(stderr).toContain('See why: dispatch goal show G-1 (likewise G-2, G-3); then dispatch')
    api.answer('listGoals', () => numbered(9))
    expect((await cli(['reviews'])).stderr).toContain('(likewise G-2, G-3, G-4, G-5, G-6, 3 more)')
  })

  it('may be one of all where the worker hangs: status says so, since when, and what ends it', async () => {
    const since = new Date(Date.now() - 90_000).toISOString()
    const ready = { status: 'degraded', postgres: true, temporal: true, worker: false } as const
    api.answer('ready', () => ({ ...ready, workerSilentSince: since, undelivered: null }))
    const home = serverFile('hangs', api.url, process.pid, { worker: { pid: 4711 } })
    const { code, stdout, stderr } = await runCli(['status', '--home', home])
    expect({ code, stdout }).toEqual({
      ...{ code: 1, stdout: expect.stringContaining('ready\tno: the worker does not answer\n') },
    })
    expect(stderr).toMatch(
      new RegExp(
        `The worker \\(process 4711\\) has not answered for 1m \\d+s, since ${since}: no goal`,
      ),
    )
    expect(stderr).toContain('end it: kill -9 4711. It is started again')
  })

  it('may be one that Temporal was not told of: status says so, since when and why', async () => {
    const undelivered = { messages: 3, since: '2026-01-02T03:04:05Z', error: 'no such namespace' }
    const ready = { status: 'degraded', postgres: true, temporal: true, worker: true } as const
    api.answer('ready', () => ({ ...ready, workerSilentSince: null, undelivered }))
    const { code, stdout, stderr } = await cli(['status'])
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: expect.stringContaining('ready\tno: Temporal does not take what it is told\n'),
    })
    expect(stderr).toContain('3 messages wait for Temporal, since 2026-01-02T03:04:05Z: no such')
  })

  it('ends a watch, with the reason and what can be done', async () => {
    const reason = 'The merge is stale'
    api.answer('getGoal', () => ({ ...baseGoal, status: 'needs_attention', reason }))
    const { code, stdout, stderr } = await cli(['goal', 'watch', 'G-12'])
    expect(code).toBe(1)
    expect(stdout).toBe('G-12 needs attention: The merge is stale\n')
    expect(stderr).toContain('dispatch goal retry G-12')
    expect(stderr).toContain('dispatch goal cancel G-12')
  })
})

it('says that a cancelled goal is ending, not what it needed before', async () => {
  const reason = 'ending: cancelled by me'
  api.answer('cancelGoal', () => ({ ...goalSummary, status: 'needs_attention', reason }))
  expect((await cli(['goal', 'cancel', 'G-12'])).stdout).toBe('G-12 ending: cancelled by me\n')
})

it('registers a project that is not trusted', async () => {
  api.answer('createProject', () => ({ ...project, trusted: false }))
  const { stderr } = await cli(['projects', 'add', '.', '--no-trust'])
  expect(api.received.at(-1)?.body).toMatchObject({ trusted: false })
  expect(stderr).toContain('dispatch projects trust P-1')
})

it('says that a network keeps nobody from anything where there is no sandbox', async () => {
  const words = 'it has no sandbox: dispatch projects sandbox P-1 bwrap'
  api.answer('createProject', () => ({ ...project, sandbox: 'none', network: 'none' }))
  api.answer('updateProject', () => ({ ...project, sandbox: 'none', network: 'none' }))
  expect((await cli(['projects', 'add', '.', '--network', 'none'])).stderr).toContain(words)
  const set = await cli(['projects', 'sandbox', 'P-1', '--network', 'none'])
  expect(set.stderr).toContain(words)
  api.answer('createProject', () => ({ ...project, sandbox: 'bwrap', network: 'none' }))
  expect((await cli(['projects', 'add', '.', '--network', 'none'])).stderr).not.toContain(words)
})

describe('failing', () => {
  const cases: [string, number, () => Promise<{ code: number; stderr: string; stdout: string }>][] =
    [
      ['unknown command', 2, () => cli(['goasl', '--json'])],
      ['unknown option', 2, () => cli(['goals', '--statsu', 'x', '--json'])],
      ['missing argument', 2, () => cli(['goal', 'show', '--json'])],
      ['bad choice', 2, () => cli(['goals', '--status', 'activ', '--json'])],
      ['a day that does not exist', 2, () => cli(['ledger', '--from', '2026-02-31', '--json'])],
      ['a month that does not exist', 2, () => cli(['ledger', '--to', '2026-13-01', '--json'])],
      [
        'a time that ends before it begins',
        2,
        () => cli(['ledger', '--from', '2027-01-01', '--to', '2026-01-01', '--json']),
      ],
      ['stopping a server by its address', 2, () => cli(['stop', '--json'])],
      ['bad id', 2, () => cli(['goal', 'show', 'T-1', '--json'])],
      ['not found', 66, () => (answerAll(404), cli(['goal', 'show', 'G-99', '--json']))],
      ['not logged in', 4, () => (answerAll(401), cli(['goal', 'show', 'G-99', '--json']))],
      ['forbidden', 5, () => (answerAll(403), cli(['goal', 'show', 'G-99', '--json']))],
      ['conflict', 5, () => (answerAll(409), cli(['goal', 'show', 'G-99', '--json']))],
      ['busy', 75, () => (answerAll(503), cli(['goal', 'show', 'G-99', '--json']))],
      ['malformed', 2, () => (answerAll(400), cli(['goal', 'show', 'G-99', '--json']))],
      ['invalid', 2, () => (answerAll(422), cli(['goal', 'show', 'G-99', '--json']))],
      ['no server', 69, () => runCli(['goals', '--json', '--url', 'http://127.0.0.1:9'])],
      ['nothing started', 69, () => runCli(['goals', '--json', '--home', join(dir, 'none')])],
      ['bad address', 78, () => runCli(['goals', '--json'], { env: { DISPATCH_URL: 'nonsense' } })],
    ]
  const answerAll = (status: number) => api.answer('getGoal', () => problem({ status, code: 'x' }))

  it.each(cases)('%s exits %i with problem+json', async (_name, expected, run) => {
    const { code, stdout, stderr } = await run()
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' })
    expect(JSON.parse(stderr)).toMatchObject({
      title: expect.any(String),
      detail: expect.any(String),
    })
  })

  it('suggests what was meant', async () => {
    expect((await cli(['goasl'])).stderr).toMatch(/Did you mean .*goals/)
    expect((await cli(['goals', '--statsu', 'active'])).stderr).toContain('Did you mean --status?')
    expect((await cli(['goals', '--status', 'activ'])).stderr).toContain('Did you mean active?')
    expect((await cli(['settings', 'maxConcurent'])).stderr).toContain(
      'Did you mean maxConcurrent?',
    )
    expect((await cli(['pool', 'puase'])).stderr).toContain('Did you mean dispatch pool pause?')
  })

  it.each([
    [['goals', '--status']],
    [['goals', '--status', '--json']],
    [['goals', '--limit', '0']],
    [['goals', '--json=1']],
    [['goals', 'surplus']],
    [['goal', 'show', '']],
    [['goal', 'x y', '--budget', '1x', '--project', 'p']],
    [['reviews', '--goal', 'G-1', '--goal', 'G-2']],
    [['settings', 'maxConcurrent', 'many']],
    [['logs']],
  ])('%j is wrong usage', async (args) => {
    expect((await cli(args)).code).toBe(2)
    expect(api.received.every(({ route }) => route === 'getSettings')).toBe(true)
  })

  it('takes tokens in settings as anywhere else, and says how to write a value that begins with a dash', async () => {
    const set = async (...args: string[]) => {
      const shown = await cli(['settings', ...args])
      return shown.code === 0 ? shown.stdout : shown.stderr
    }
    expect(await set('dayBudget', '20000000000')).toBe('dayBudget\t20000000000\n')
    for (const [written, stored] of [
      ...[['1.5m', 1_500_000] as const, ['1.5M', 1_500_000] as const],
      ...[['2k', 2000] as const, ['2000m', 2e9] as const, ['2_000_000', 2_000_000] as const],
    ])
      expect(await set('dayBudget', written)).toBe(`dayBudget\t${stored}\n`)
    for (const other of ['5x', '1,5m', '1_5', '2 k', '1.5', '0.4'])
      expect(await set('tokenBudget', other)).toContain('50000, 2_000_000, 200k or 1.5m')
    expect(await set('maxConcurrent', '5k')).toContain('is a whole number')
    expect(await set('maxConcurrent', '-15')).toContain('If "-15" is the value, write it after --:')
  })

  it('says how to start it when nothing runs', async () => {
    const { stderr } = await runCli(['goals', '--home', serverFile('dead', DEAD_URL, NO_PROCESS)])
    expect(stderr).toContain('Dispatch is not running')
    expect(stderr).toContain('dispatch start')
    const named = await runCli(['goals', '--url', DEAD_URL])
    expect(named.stderr).toContain(`Nothing answers at ${DEAD_URL}`)
    expect(named.stderr).not.toContain('dispatch start')
  })

  it('waits for a server that its supervisor starts again, and says so when that takes long', async () => {
    const home = serverFile('restarting', DEAD_URL, process.pid)
    const waited = await runCli(['goals', '--home', home])
    expect(waited).toMatchObject({
      code: 75,
      stderr: expect.stringContaining('Dispatch is restarting; try again'),
    })
    const back = runCli(['goals', '--home', home])
    serverFile('restarting', api.url, process.pid)
    expect((await back).code).toBe(0)
  })
})

describe('a server that is killed before it answers', () => {
  it('is asked again where that makes nothing twice, and else it is said that nobody knows', async () => {
    const home = serverFile('killed', api.url, process.pid)
    const keys: unknown[] = []
    api.answer('createGoal', ({ idempotencyKey }) => {
      keys.push(idempotencyKey)
      if (keys.length === 1) throw new Error('killed')
      return goalSummary
    })
    const filed = await runCli(['goal', 'Build auth', '--project', 'shop', '--home', home])
    expect(filed).toMatchObject({ code: 0, stdout: expect.stringContaining('G-12') })
    expect(keys).toEqual([expect.any(String), keys[0]])

    api.answer('pausePool', () => {
      throw new Error('killed')
    })
    const paused = await runCli(['pool', 'pause', '--home', home])
    expect(paused).toMatchObject({ code: 75, stderr: expect.stringContaining('is not known') })
  })
})

const DEAD_URL = 'http://127.0.0.1:9'
/** Above every pid_max. */
const NO_PROCESS = 2 ** 30

function serverFile(name: string, url: string, pid: number, processes = {}): string {
  const home = join(dir, name)
  mkdirSync(home, { recursive: true })
  writeFileSync(join(home, 'server.json'), JSON.stringify({ url, pid, processes }))
  return home
}

describe('a failure in words', () => {
  it('says that dots are no id, and asks for nothing further up the path', async () => {
    for (const line of ['profiles show .', 'suggestions dismiss ..'])
      expect(await cli(line.split(' ')), line).toMatchObject({
        ...{ code: 66, stderr: expect.stringContaining('is neither an id nor a name') },
      })
    expect(api.received).toEqual([])
  })

  it('says once what is wrong with the only thing that is', async () => {
    const detail = 'The body is wrong: description must have at most 3 characters.'
    const errors = [{ pointer: '/description', detail: 'must have at most 3 characters' }]
    const wrong = { ...problem({ status: 422, code: 'invalid' }), detail, errors }
    api.answer('createGoal', () => wrong)
    const { stderr } = await cli(['goal', 'Do it', '--project', 'shop'])
    expect(stderr.match(/at most 3/g)).toHaveLength(1)
  })
})

describe('finding the server', () => {
  it('says what to do about a home that cannot be one', async () => {
    const file = join(dir, 'a-file')
    writeFileSync(file, '')
    for (const command of ['start', 'stop', 'doctor', 'goals']) {
      const { code, stderr } = await runCli([command, '--home', file])
      expect({ code, stderr }, command).toEqual({
        code: 78,
        stderr: `error: The home ${file} cannot be used: it is not a folder.\nName another one with --home or DISPATCH_HOME.\n`,
      })
    }
    const below = await runCli(['start', '--home', join(file, 'home')])
    expect(below).toMatchObject({ code: 78, stderr: expect.stringContaining('Name another one') })
  })

  // /proc, in which nobody can make a folder, is Linux's
  it.skipIf(process.platform !== 'linux')(
    'says so of a folder in which none can be made',
    async () => {
      const { code, stderr } = await runCli(['start', '--home', '/proc/dispatch/home'])
      expect(code).toBe(78)
      expect(stderr).toMatch(
        /^error: The home \/proc\/dispatch\/home cannot be used: ENOENT.*\nName/,
      )
    },
  )

  it("takes no folder of somebody else's for a home, and leaves their files as they are", async () => {
    const foreign = join(dir, 'foreign')
    const files = { lock: 'of another program', 'server.json': '{"url":"mine","processes":{}}' }
    mkdirSync(foreign)
    for (const [name, text] of Object.entries(files)) writeFileSync(join(foreign, name), text)
    for (const command of ['start', 'stop']) {
      const { code, stderr } = await runCli([command, '--home', foreign])
      expect({ code, stderr }, command).toEqual({
        code: 78,
        stderr: `error: The home ${foreign} cannot be used: it holds lock and 1 more and nothing of Dispatch, whose home is a folder of its own.\nName another one with --home or DISPATCH_HOME.\n`,
      })
    }
    expect(readdirSync(foreign).sort()).toEqual(Object.keys(files))
    for (const [name, text] of Object.entries(files))
      expect(readFileSync(join(foreign, name), 'utf8')).toBe(text)
    for (const own of ['lost+found', 'prompts', 'hubs']) {
      mkdirSync(join(dir, `with ${own}`, own), { recursive: true })
      expect(await runCli(['stop', '--home', join(dir, `with ${own}`)])).toMatchObject({ code: 0 })
    }
  })

  it('says that what answers is not Dispatch, also where it speaks no HTTP', async () => {
    const other = createServer((socket) => socket.end('\0\0\u0006\u0004\0\0'))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
    const { code, stderr } = await runCli(['goals', '--url', url])
    other.close()
    expect({ code, stderr }).toEqual({
      code: 69,
      stderr: `error: What listens at ${url} is not Dispatch's API: it speaks no HTTP.\nCheck the address: another program may listen there.\n`,
    })
  })

  it.each([
    [200, 69],
    [404, 69],
    [502, 69],
    [401, 4], // a proxy that logs people in
    [503, 75],
  ])(
    'says so of a web server that answers %i with a page, and ends with %i',
    async (status, exit) => {
      const other = createHttpServer((_, response) =>
        response.writeHead(status).end('<h1>A page</h1>'),
      )
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
      const { port } = other.address() as AddressInfo
      const { code, stderr } = await runCli(['status', '--url', `http://127.0.0.1:${port}`])
      other.close()
      expect({ code, stderr }).toEqual({
        code: exit,
        stderr: expect.stringMatching(`answered ${status} with something .*\nCheck the address: `),
      })
    },
  )

  it('reads server.json of the home', async () => {
    const home = join(dir, 'started')
    mkdirSync(home)
    writeFileSync(join(home, 'server.json'), JSON.stringify({ url: api.url, processes: {} }))
    expect((await runCli(['goals'], { env: { DISPATCH_HOME: home } })).code).toBe(0)
  })

  it('does not look after a home and the server of another one together', async () => {
    const home = serverFile('another', DEAD_URL, process.pid)
    const mixed = await runCli(['doctor', '--url', api.url, '--home', home])
    expect(mixed).toMatchObject({ code: 2, stderr: expect.stringContaining(DEAD_URL) })
    expect(api.received).toEqual([])
  })

  it('says of a home in use nothing but that', async () => {
    const home = join(dir, 'in-use')
    createHome(home)
    const lock = takeLock(join(home, 'lock'))
    const { code, stdout, stderr } = await runCli(['start', '--home', home])
    expect({ code, stdout }).toEqual({ code: 75, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^error: .* in use by process ${process.pid}`))
    const json = await runCli(['start', '--home', home, '--json'])
    expect(json).toMatchObject({ code: 75, stdout: '' })
    expect(JSON.parse(json.stderr)).toMatchObject({ title: 'Try again later', code: 'temporary' })
    if (lock.taken) lock.release()
  })

  it('leaves nothing of a start that could not write its lock', async () => {
    const home = join(dir, 'full')
    const under = ['sh', '-c', 'ulimit -f 0; exec "$@"', 'sh']
    const { code, stderr } = await runCli(['start', '--home', home], { under })
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('EFBIG') })
    expect(readdirSync(home).filter((name) => name.startsWith('lock'))).toEqual([])
  })

  it('says of a wrong configuration what any command says of it', async () => {
    const home = join(dir, 'misconfigured')
    mkdirSync(home)
    writeFileSync(join(home, 'config.toml'), 'colour = "blue"\n')
    for (const command of ['start', 'stop', 'doctor']) {
      const { code, stderr } = await runCli([command, '--home', home])
      expect({ code, stderr }, command).toEqual({
        code: 78,
        stderr: expect.stringMatching(/^error: .*config\.toml.*colour/),
      })
    }
  })

  it('does not let the demo be played elsewhere than it says', async () => {
    for (const place of [
      ['--home', dir],
      ['--url', api.url],
    ]) {
      const { code, stderr } = await runCli(['demo', ...place])
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: expect.stringContaining('it takes no --home and no --url.\nTo work on a home: '),
      })
    }
    expect((await runCli(['demo', '--help'])).stdout).not.toContain('--home')
  })

  it('says what to do where no temporary folder can be made', async () => {
    const none = join(dir, 'none')
    const { code, stderr } = await runCli(['demo'], { env: { TMPDIR: none } })
    expect({ code, stderr }).toEqual({
      code: 78,
      stderr: expect.stringMatching(
        /^error: No temporary folder can be made in .*ENOENT.*\nName a folder .* in TMPDIR\.\n$/,
      ),
    })
  })

  it('says of a home that is being started that it is, also where a killed start left its address', async () => {
    for (const home of [join(dir, 'begun'), serverFile('begun-again', DEAD_URL, NO_PROCESS)]) {
      mkdirSync(home, { recursive: true })
      const lock = takeLock(join(home, 'lock'))
      const { code, stderr } = await runCli(['goals', '--home', home])
      expect({ code, stderr }).toEqual({
        code: 75,
        stderr: expect.stringContaining(`Dispatch is starting on ${home} (process ${process.pid}`),
      })
      if (lock.taken) lock.release()
      expect((await runCli(['goals', '--home', home])).code).toBe(69)
    }
  })

  it('prefers --url to DISPATCH_URL', async () => {
    const env = { DISPATCH_URL: 'http://127.0.0.1:9' }
    expect((await runCli(['goals', '--url', api.url], { env })).code).toBe(0)
    expect((await runCli(['goals'], { env })).code).toBe(69)
  })
})

describe('going on', () => {
  it('shows a correction in a log with its words, also one that was made after the log was begun', async () => {
    const of = (seq: number, id: string, state: string) => ({
      ...{ seq, at: reviewSummary.createdAt, role: 'hitl' as const, kind: 'correction' as const },
      content: { id, state },
    })
    api.answer('getTranscript', () => ({
      items: [of(1, 'c1', 'queued'), of(2, 'c2', 'queued'), of(3, 'c1', 'applied')],
      next: null,
    }))
    const made = {
      ...{ runId: ids.run, by: 'person:me', createdAt: reviewSummary.createdAt },
      ...{ note: null, deliveredAt: null, appliedAt: null },
    }
    const corrections = [
      { ...made, id: 'c1', text: 'Use tabs,\nplease', state: 'applied' as const },
      { ...made, id: 'c2', text: 'Be brief', state: 'queued' as const },
    ]
    let asked = 0
    api.answer('getAgent', () => {
      asked += 1
      return { ...baseRun, corrections: corrections.slice(0, asked) }
    })
    expect((await cli(['logs', 'A-7'])).stdout).toBe(
      'correction queued Use tabs, please\ncorrection queued Be brief\ncorrection applied Use tabs, please\n',
    )
  })

  it('says that there is nothing to try again where nothing failed and nothing waits for a provider', async () => {
    const nothing = 'There is nothing to try again'
    const { code, stdout, stderr } = await cli(['goal', 'retry', 'G-12'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'G-12 active\n' })
    expect(stderr).toContain(nothing)
    const retried = async (before: object, ...more: string[]) => {
      api.answer('getGoal', () => ({ ...baseGoal, ...before }))
      return (await cli(['goal', 'retry', 'G-12', ...more])).stderr
    }
    expect(await retried({}, '--profile', 'Auto')).not.toContain(nothing)
    expect(await retried({ status: 'needs_attention' })).not.toContain(nothing)
    const parked = stage({ stage: 'spec', status: 'waiting', resumesAt: baseGoal.createdAt })
    expect(await retried({ stages: [parked] })).not.toContain(nothing)
  })

  it('says nothing of what a goal waited for until it was tried again', async () => {
    const reason = 'The limit of Codex is reached; it goes on at 09:00 UTC'
    api.answer('retryGoal', () => ({ ...goalSummary, reason }))
    expect((await cli(['goal', 'retry', 'G-12'])).stdout).toBe('G-12 active\n')
    expect(JSON.parse((await cli(['goal', 'retry', 'G-12', '--json'])).stdout)).toMatchObject({
      reason,
    })
  })
})

describe('foreign text', () => {
  it('keeps a name with a newline on its line', async () => {
    const named = 'two\nlines'
    api.answer('getGoal', () => ({ ...baseGoal, title: named, projectName: named }))
    const { stdout } = await cli(['goal', 'show', 'G-12'])
    expect(stdout).toContain('G-12 two lines\n')
    expect(stdout).toContain('project  two lines, into main\n')
    const finding = { name: `git of ${named}`, ok: false, message: named, advice: named }
    api.answer('runDoctor', () => ({ findings: [{ ...finding, repaired: false }] }))
    const doctor = await cli(['doctor'])
    expect(doctor.stdout).toContain('✗ git of two lines: two lines\n  two lines\n')
  })

  const hostile = 'a\u001b]52;c;aGk=\u0007b\u001b[2Jc\u009b31md\u001b[31mred\u0007\u202e'

  it('reaches no pipe with an escape sequence', async () => {
    api.answer('getTranscript', () => ({
      items: [
        {
          seq: 1,
          at: reviewSummary.createdAt,
          role: 'agent',
          kind: 'text',
          content: { text: hostile },
        },
      ],
      next: null,
    }))
    expect((await cli(['logs', 'A-7'])).stdout).toBe('abcdred<U+202E>\n')
    const forced = await cli(['logs', 'A-7'], { env: { CLICOLOR_FORCE: '1' } })
    expect(forced.stdout).toBe('abcd\u001b[31mred<U+202E>\u001b[0m\n')
    const failed = await cli(['logs', 'G-1'], { env: { CLICOLOR_FORCE: '1' } })
    expect(failed.stderr.indexOf('\u001b[31merror\u001b[39m: ')).toBe(0)
    const json = (await cli(['logs', 'A-7', '--json'])).stdout
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(json).not.toMatch(/[\u001b\u0080-\u009f]/)
    expect(JSON.parse(json).items[0].content.text).toBe(hostile)
  })
})

describe('following', () => {
  const goalStatus = (status: string) => ({
    stream: `goal/${ids.goal}`,
    feedSeq: 1,
    actor: 'dispatch',
    at: reviewSummary.createdAt,
    type: 'goal.status',
    data: { goalId: ids.goal, status, stage: 'merge', reason: null },
  })
  const ended = (status: 'completed' | 'cancelled') => {
    api.answer('getGoal', () => ({ ...goalWith(status) }))
    api.push(`goal/${ids.goal}`, goalStatus(status))
  }

  it.each([
    ['completed', 0],
    ['cancelled', 1],
  ] as const)('watches until a goal is %s and exits %i', async (status, code) => {
    const watching = cli(['goal', 'watch', 'G-12'])
    await api.subscribed(`goal/${ids.goal}`)
    ended(status)
    const outcome = await watching
    expect(outcome.stderr.includes('error')).toBe(false)
    expect(outcome.code).toBe(code)
    expect(outcome.stdout).toMatch(new RegExp(`goal ${status} at Merge\nG-12 ${status}`))
  })

  it('tells once that a review waits, although its stage tells it too', async () => {
    const of = (type: string, data: object) => ({ ...goalStatus('active'), type, data })
    const stage = { goalId: ids.goal, taskId: null, stage: 'spec', attempt: 2, status: 'review' }
    const review = { goalId: ids.goal, taskId: null, reviewId: ids.review, kind: 'spec' }
    api.push(
      `goal/${ids.goal}`,
      of('stage.status', { ...stage, reason: null }),
      of('stage.status', { ...stage, reason: 'a spec' }),
      of('review.pending', { ...review, tier: 'block', reason: 'a spec' }),
    )
    const watching = cli(['goal', 'watch', 'G-12'])
    await api.subscribed(`goal/${ids.goal}`)
    ended('completed')
    const lines = (await watching).stdout.split('\n').filter((line) => /review/.test(line))
    expect(lines).toEqual([expect.stringContaining('review of the spec waits (a spec)')])
  })

  it('prints one JSON document a line', async () => {
    api.push(`goal/${ids.goal}`, goalStatus('active'))
    const watching = cli(['goal', 'watch', 'G-12', '--json'])
    await api.subscribed(`goal/${ids.goal}`)
    ended('completed')
    const lines = (await watching).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map(({ type, status }) => type ?? status)).toEqual([
      'goal.status',
      'goal.status',
      'completed',
    ])
  })

  it('leaves the goal running on Ctrl-C', async () => {
    const child = startCli(['goal', 'watch', 'G-12', '--url', api.url])
    const outcome = result(child)
    await api.subscribed(`goal/${ids.goal}`)
    child.kill('SIGINT')
    expect(await outcome).toMatchObject({
      code: 130,
      stderr: expect.stringContaining('G-12 goes on'),
    })
    expect(api.received.every(({ route }) => route === 'getGoal')).toBe(true)
  })

  it('follows a run to its end', async () => {
    const entry = (kind: string, content: object) => ({
      at: reviewSummary.createdAt,
      role: 'agent',
      kind,
      content,
    })
    api.answer('getTranscript', () => ({ items: [], next: null }))
    const following = cli(['logs', 'A-7', '-f'])
    await api.subscribed(`run/${ids.run}`)
    const pieces = ['o', 'ne\ntw', 'o'].map((text) => entry('text', { text }))
    api.push(`run/${ids.run}`, ...pieces, entry('done', { text: '' }))
    expect(await following).toMatchObject({ code: 0, stdout: 'one\ntwo\ndone\n' })
  })

  function goalWith(status: 'completed' | 'cancelled') {
    return { ...baseGoal, status, stage: 'merge' as const }
  }
})

describe('events', () => {
  it('shows the newest, and replays with --after', async () => {
    await cli(['events'])
    expect(api.received.at(-1)?.query).toEqual({ stream: 'feed', last: '50' })
    await cli(['events', '--after', '0', '--limit', '10'])
    expect(api.received.at(-1)?.query).toEqual({ stream: 'feed', after: '0', limit: '10' })
  })

  it('says that something went on by policy when nothing waits', () => {
    const data = { goalId: ids.goal, taskId: null, reviewId: ids.review, kind: 'task' as const }
    const line = (tier: 'auto' | 'block') =>
      eventLine({ type: 'review.pending', data: { ...data, tier, reason: 'docs' } } as EventBody)
    expect(line('auto')).toBe('task goes on by policy (auto), no review waits (docs)')
    const changed = { goalId: ids.goal, taskId: ids.task, head: 'abc', files: ['a.ts'] }
    expect(eventLine({ type: 'task.files', data: changed })).toBe('task changed 1 file, now at abc')
    expect(line('block')).toBe('review of the task waits (docs): dispatch reviews')
  })
})

describe('a reader that goes away', () => {
  it('ends quietly when the pipe closes', async () => {
    const child = startCli(['events', '-f', '--url', api.url])
    const outcome = result(child)
    await api.subscribed('feed')
    child.stdout?.destroy()
    const notice = {
      stream: 'system',
      feedSeq: 1,
      actor: 'dispatch',
      at: reviewSummary.createdAt,
      type: 'system.notice',
      data: { level: 'info', text: 'x' },
    }
    api.push('feed', notice, notice)
    expect(await outcome).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'])('has a script for %s', async (shell) => {
    const { code, stdout } = await runCli(['completion', shell])
    expect(code).toBe(0)
    expect(stdout).toContain('dispatch complete --')
    const file = join(dir, `completion.${shell}`)
    writeFileSync(file, stdout)
    if (installed(shell)) execFileSync(shell, ['-n', file])
    expect(JSON.parse((await runCli(['completion', shell, '--json'])).stdout).script.trim()).toBe(
      stdout.trim(),
    )
  })

  it('completes in a bash that has nothing but bash, sourced twice', async () => {
    const file = join(dir, 'twice.bash')
    writeFileSync(file, (await runCli(['completion', 'bash'])).stdout)
    const bin = join(dir, 'bin')
    mkdirSync(bin)
    const cliFile = join(distDir(), 'cli.cjs')
    writeFileSync(
      join(bin, 'dispatch'),
      `#!/bin/sh\nexec "${process.execPath}" "${cliFile}" "$@"\n`,
    )
    chmodSync(join(bin, 'dispatch'), 0o755)
    const complete = (words: string, at: number) =>
      new Promise<string>((resolve, reject) => {
        const script = `set -e; source ${file}; source ${file}; COMP_WORDS=(${words}); COMP_CWORD=${at}; __dispatch_complete; printf '%s\\n' "\${COMPREPLY[@]}"`
        const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: dir, DISPATCH_URL: api.url }
        execFile('bash', ['--norc', '-c', script], { env }, (error, stdout, stderr) =>
          error ? reject(new Error(stderr)) : resolve(stdout),
        )
      })
    expect(await complete('dispatch go', 1)).toBe('goal\ngoals\n')
    expect(await complete('dispatch approve ""', 2)).toBe('T-31\n')
    expect(await complete('dispatch goals --status = pau', 4)).toBe('paused\n')
    expect(await complete('dispatch goals --json = shortId,ti', 4)).toBe('shortId,title\n')
    expect(await complete('dispatch goals --json =', 3)).toMatch(/^id\nshortId\ntitle\n/)
    expect(await complete('dispatch approve --json ""', 3)).toBe('T-31\n')
    expect(await complete("dispatch approve '$(touch pwned)'", 2)).toBe('\n')
  })

  it('evaluates in zsh nothing of what is being typed', async () => {
    const { stdout } = await runCli(['completion', 'zsh'])
    expect(stdout).toContain('"-P ${(q)BASH_REMATCH}"')
    if (!installed('zsh')) return
    const file = join(dir, 'typed.zsh')
    writeFileSync(file, stdout)
    const script = `compdef() {}; _describe() { print -r -- "$@"; }; source ${file}; words=(dispatch goal '--title=$(id>pwned)='); CURRENT=3; _dispatch`
    const shown = execFileSync('zsh', ['-f', '-c', script], { cwd: dir, encoding: 'utf8' })
    expect(shown).toContain('-P --title=')
    expect(readdirSync(dir)).not.toContain('pwned')
  })

  it('offers commands, options, choices and ids', async () => {
    const env = { DISPATCH_URL: api.url }
    const offered = async (...words: string[]) =>
      (await runCli(['complete', '--', ...words], { env })).stdout
    expect(await offered('go')).toMatch(/^goal\t.*\ngoals\t/m)
    expect(await offered('goals', '--st')).toContain('--status')
    expect(await offered('goals', '--status', '')).toContain('needs_attention')
    expect(await offered('goals', '--json=id,ti')).toMatch(/^id,shortId\nid,title\n[\s\S]*:6\n$/)
    expect(await offered('approve', '')).toContain('T-31\tAdd the login form')
    expect(await offered('goal', 'show', '')).toContain('G-12\tBuild auth module')
  })

  it('offers no ids and says nothing when no server answers', async () => {
    const { code, stderr } = await runCli(['complete', '--', 'approve', ''], {
      env: { DISPATCH_URL: 'http://127.0.0.1:9' },
    })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })
})

function installed(shell: string): boolean {
  try {
    execFileSync(shell, ['-c', 'true'])
    return true
  } catch {
    return false
  }
}
