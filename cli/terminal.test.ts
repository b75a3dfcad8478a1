import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { descendantsOf } from '../adapters/process-tree.ts'
import { distDir } from '../config/home.ts'
import { startFixtureApi } from './testing/fixture-api.ts'
import {
  goal,
  goalSummary,
  ids,
  problem,
  review,
  reviewSummary,
  specReview,
} from './testing/fixtures.ts'
import { result, runCli, runOnTerminal, startOnTerminal } from './testing/run-cli.ts'

let api: Awaited<ReturnType<typeof startFixtureApi>>
beforeEach(async () => {
  api = await startFixtureApi()
})
afterEach(() => api.close())

const terminal = (args: string[], options: Parameters<typeof runOnTerminal>[1] = {}) =>
  runOnTerminal([...args, '--url', api.url], options)

describe('a table', () => {
  it('has a header, columns and colours on a terminal, and fits', async () => {
    api.answer('listGoals', () => ({
      items: [
        goalSummary,
        { ...goalSummary, shortId: 'G-3', title: '日本語の長い題名'.repeat(20) },
      ],
      next: null,
    }))
    const { stdout, code } = await terminal(['goals'])
    expect(code).toBe(0)
    expect(stdout).toContain('\u001b[36m● active')
    const lines = bare(stdout).trimEnd().split('\n')
    expect(lines[0]).toMatch(/^GOAL +STATUS +STAGE/)
    expect(lines).toHaveLength(3)
    expect(lines[2]).toContain('…')
    expect(lines[1]?.indexOf('● active')).toBe(lines[2]?.indexOf('● active'))
  })

  it('has no colours with NO_COLOR', async () => {
    expect((await terminal(['goals'], { env: { NO_COLOR: '1' } })).stdout).not.toContain('\u001b')
  })
})

describe('approving on a terminal', () => {
  it('shows what is approved and asks', async () => {
    const { code, stdout } = await terminal(['approve', 'T-31'], { answer: 'y' })
    expect(code).toBe(0)
    expect(bare(stdout)).toMatch(
      /src\/auth\.ts +\+40 +-2 +high[\s\S]*Passwords are hashed[\s\S]*did not pass:\s+! c2: Sessions end \(warn\)\s+Approve R-9 all the same\? \[y\/N\]/,
    )
    expect(api.received.at(-1)).toMatchObject({
      route: 'decideReview',
      body: { checklist: ['c1', 'c2'] },
    })
  })

  it('decides nothing when the answer is not yes', async () => {
    const { code, stdout } = await terminal(['approve', 'T-31'], { answer: '' })
    expect(code).toBe(5)
    expect(stdout).toContain('it still waits')
    expect(api.received.some(({ route }) => route === 'decideReview')).toBe(false)
  })

  it('takes nothing for the answer that was typed before the question', async () => {
    const child = startOnTerminal(['approve', 'T-31', '--url', api.url])
    const outcome = result(child)
    const typed = once(child.stdout as Readable, 'data') // the terminal's echo
    api.answer('getReview', (async () => {
      child.stdin?.write('y\n')
      await typed
      return review
    }) as never)
    child.stdout?.on('data', (data) => {
      if (String(data).includes('[y/N]')) child.stdin?.write('\n')
    })
    expect(await outcome).toMatchObject({ code: 5, stdout: expect.stringMatching(/^y\s/) })
    expect(api.received.some(({ route }) => route === 'decideReview')).toBe(false)
  })

  it('asks nothing about what is decided already: who was first is said at once', async () => {
    const first = { status: 'rejected', decidedBy: 'person:ada', via: 'ui' } as const
    const detail = 'R-9 was already decided: rejected by ada at noon.'
    api.answer('decideReview', () => ({
      ...{ ...problem({ status: 409, code: 'already_decided' }), detail },
    }))
    for (const status of ['rejected', 'approved'] as const) {
      api.answer('getReview', () => ({ ...review, ...first, status }))
      for (const args of [
        ['approve', 'R-9'],
        ['reject', 'R-9', 'no'],
      ]) {
        const { code, stdout } = await terminal(args)
        expect({ code, stdout: bare(stdout) }, args.join(' ')).toEqual({
          ...{ code: 5, stdout: expect.stringMatching(/^error: R-9 was .*decided.* by ada/) },
        })
      }
    }
    const edited = await terminal(['approve', 'R-9', '--edit'], { env: { EDITOR: 'false' } })
    expect(edited).toMatchObject({ code: 5, stdout: expect.stringContaining('decided before') })
  })

  it('says before a rejection that it cancels the whole goal', async () => {
    const { code, stdout } = await terminal(['reject', 'T-31', 'no'], { answer: '' })
    expect(code).toBe(5)
    expect(stdout).toContain('This cancels the whole goal G-12')
    expect(stdout).toContain('dispatch request-changes R-9')
    expect(api.received.some(({ route }) => route === 'decideReview')).toBe(false)
    api.answer('getReview', () => ({ ...review, kind: 'budget' }))
    const ofBudget = await terminal(['reject', 'R-9', 'no'], { answer: '' })
    expect(ofBudget.stdout).toContain('To grant it more tokens: dispatch approve R-9')
    expect((await terminal(['reject', 'T-31', 'no', '--yes'])).code).toBe(0)
  })

  it('shows the patch in the pager before it asks, in colours', async () => {
    const { code, stdout } = await terminal(['approve', 'T-31', '--diff'], {
      answer: 'y',
      env: { PAGER: 'sed s/^/PAGED:/' },
    })
    expect(code).toBe(0)
    expect(stdout).toContain('PAGED:\u001b[31m--- a comment of SQL')
    expect(stdout).toContain('PAGED:\u001b[1m--- a/src/auth.ts')
    expect(bare(stdout)).toMatch(
      /PAGED:\+const hidden = 1\^M\^\[\[8m[\s\S]*Approve R-9 all the same\?/,
    )
  })

  it('prints the patch when there is no such pager', async () => {
    const { code, stdout } = await terminal(['diff', 'R-9'], { env: { PAGER: 'no-such-pager' } })
    expect(code).toBe(0)
    expect(stdout).toContain('\u001b[31m--- a comment of SQL')
  })

  it('opens the editor on the spec, sends what was changed, and keeps it when it is refused', async () => {
    api.answer('getReview', () => specReview)
    const env = { EDITOR: 'sed -i s/Sign.in/Log.on/' }
    const edited = await terminal(['approve', 'R-9', '--edit'], { env, answer: 'y' })
    expect(edited.code, edited.stdout).toBe(0)
    expect(edited.stdout).toContain('Approve R-9 with your changes? [y/N]')
    expect(api.received.at(-1)?.body).toMatchObject({ edits: { summary: 'Log.on', title: 'Auth' } })
    api.answer('decideReview', () => problem({ status: 422, code: 'invalid' }))
    const refused = await terminal(['approve', 'R-9', '--edit', '--yes'], { env })
    expect(refused.code).toBe(2)
    const kept = /dispatch approve R-9 --edits (\S+)/.exec(refused.stdout)?.[1] ?? ''
    expect(JSON.parse(readFileSync(kept, 'utf8'))).toMatchObject({ summary: 'Log.on' })
    rmSync(dirname(kept), { recursive: true })
    const failed = await terminal(['approve', 'R-9', '--edit'], { env: { EDITOR: 'false' } })
    expect(failed).toMatchObject({ code: 1, stdout: expect.stringContaining('still waits') })
  })

  it('never asks with --no-input', async () => {
    expect((await terminal(['approve', 'T-31', '--no-input'])).code).toBe(2)
  })
})

describe('removing a project or a profile', () => {
  it('says what stays, and removes nothing when the answer is not yes', async () => {
    const asked = ['projects', 'remove', 'shop']
    const declined = await terminal(asked, { answer: '' })
    expect(declined.code).toBe(5)
    expect(declined.stdout).toContain(
      '/srv/shop is not touched; the history and the branches of its goals stay.',
    )
    expect(declined.stdout).toContain('Forget P-1 "shop"?')
    expect((await terminal(['profiles', 'delete', 'Careful'], { answer: 'n' })).code).toBe(5)
    expect(api.received.map(({ route }) => route)).toEqual(['getProject'])
    expect((await terminal(asked, { answer: 'y' })).code).toBe(0)
    expect(api.received.at(-1)).toMatchObject({
      route: 'deleteProject',
      params: { id: ids.project },
    })
    expect(await runCli([...asked, '--json', '--url', api.url])).toMatchObject({
      ...{ code: 0, stderr: '', stdout: `{"id":"${ids.project}"}\n` },
    })
    const detail = 'Goals of this project are not finished: G-4.'
    api.answer('deleteProject', () => ({ ...problem({ status: 409, code: 'in_use' }), detail }))
    const inUse = await terminal([...asked, '--yes'])
    expect(inUse).toMatchObject({ code: 5, stdout: expect.stringContaining(detail) })
  })
})

/** Closes the terminal once the file is there; prints how the program ended. */
const CLOSED_TERMINAL = `
import os, pty, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
os.close(fd)
_, status = os.waitpid(pid, 0)
print(os.waitstatus_to_exitcode(status))
`

it('ends by the hang-up when its terminal is closed: Node would give its settings back to none, and abort', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'dispatch-closed-'))
  const asked = join(dir, 'asked')
  const hangs = `#!/bin/sh\n: > '${asked}'\nexec sleep 60\n`
  writeFileSync(join(dir, 'temporal'), hangs, { mode: 0o700 })
  const env = { DATABASE_URL: 'postgresql://127.0.0.1:1/none', DISPATCH_HOME: join(dir, 'home') }
  const command = [process.execPath, join(distDir(), 'cli.cjs'), 'start']
  try {
    const { stdout } = spawnSync('python3', ['-c', CLOSED_TERMINAL, asked, ...command], {
      env: { ...env, HOME: dir, PATH: `${dir}:/usr/local/bin:/usr/bin:/bin` },
      encoding: 'utf8',
    })
    expect(stdout).toBe('-1\n')
    expect(readdirSync(env.DISPATCH_HOME)).not.toContain('lock')
  } finally {
    rmSync(dir, { recursive: true })
  }
})

describe('goal watch on a terminal', () => {
  const status = {
    stream: `goal/${ids.goal}`,
    feedSeq: 1,
    actor: 'dispatch',
    at: reviewSummary.createdAt,
    type: 'goal.status',
    data: { goalId: ids.goal, status: 'completed', stage: 'merge', reason: null },
  }
  const running = {
    ...status,
    type: 'run.status',
    data: {
      ...{
        goalId: ids.goal,
        taskId: ids.task,
        runId: ids.run,
        stage: 'implement',
        adapter: 'demo',
      },
      ...{ status: 'running', reason: null, detail: null, tokens: 5 },
    },
  }

  it('draws nine stages in place, the words of the agent, and what waits', async () => {
    const child = startOnTerminal(['goal', 'watch', 'G-12', '--url', api.url])
    const outcome = result(child)
    await api.subscribed(`goal/${ids.goal}`)
    api.push(`goal/${ids.goal}`, running)
    await api.subscribed(`run/${ids.run}`)
    api.push(`run/${ids.run}`, {
      at: reviewSummary.createdAt,
      role: 'agent',
      kind: 'text',
      content: { text: 'thinking\u001b[2J hard' },
    })
    await seen(child, 'thinking hard')
    const left = api.unsubscribed(`run/${ids.run}`)
    api.push(`goal/${ids.goal}`, { ...running, data: { ...running.data, status: 'done' } })
    await left
    api.answer('getGoal', () => ({ ...goal, status: 'completed' }))
    api.push(`goal/${ids.goal}`, status)
    const { code, stdout } = await outcome
    expect(code).toBe(0)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the cursor goes up and the rest is cleared
    expect(stdout).toMatch(/\u001b\[\d+A\r\u001b\[J/)
    expect(stdout.endsWith('G-12 completed\r\n')).toBe(true)
    expect(stdout.lastIndexOf('\u001b[?25h')).toBeGreaterThan(stdout.lastIndexOf('\u001b[?25l'))
    const text = bare(stdout)
    for (const title of [
      'Spec',
      'Test Spec',
      'Security Spec',
      'Implement',
      'Frontend',
      'Verify',
      'Review',
      'Audit',
      'Merge',
    ])
      expect(text).toContain(` ${title} `)
    expect(text).toMatch(/✓ Spec +passed +8s · 1\.5k tokens · demo/)
    expect(text).toMatch(/● Implement +running .*attempt 2/)
    expect(text).toMatch(/R-9 waits: dispatch approve R-9.*\s+Decide it in .*: watching goes on/)
  })

  it('draws nothing where the terminal knows no cursor', async () => {
    const env = { TERM: 'dumb' }
    const child = startOnTerminal(['goal', 'watch', 'G-12', '--url', api.url], { env })
    const outcome = result(child)
    await api.subscribed(`goal/${ids.goal}`)
    api.answer('getGoal', () => ({ ...goal, status: 'completed' }))
    api.push(`goal/${ids.goal}`, status)
    const { code, stdout } = await outcome
    expect(code).toBe(0)
    expect(stdout).toContain('G-12 completed')
    expect(stdout).not.toContain('\u001b')
  })

  it('gives the cursor back on Ctrl-C', async () => {
    const child = startOnTerminal(['goal', 'watch', 'G-12', '--url', api.url])
    const outcome = result(child)
    await api.subscribed(`goal/${ids.goal}`)
    child.stdin?.write('\u0003')
    const { code, stdout } = await outcome
    expect(code).toBe(130)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the cursor is shown
    expect(stdout).toMatch(/\u001b\[\?25h[\s\S]*G-12 goes on/)
  })

  it('gives the cursor back when somebody ends it', async () => {
    const child = startOnTerminal(['goal', 'watch', 'G-12', '--url', api.url])
    const outcome = result(child)
    await seen(child, '\u001b[?25l')
    const [watching] = descendantsOf(child.pid as number)
    process.kill(watching?.pid as number, 'SIGTERM')
    const { stdout } = await outcome
    expect(stdout.endsWith('\u001b[?25h')).toBe(true)
  })

  it('ends on Ctrl-C at once also while it waits for an answer', async () => {
    const child = startOnTerminal(['goal', 'watch', 'G-12', '--url', api.url])
    const outcome = result(child)
    await api.subscribed(`goal/${ids.goal}`)
    const asked = new Promise<void>((resolve) => {
      const never = () => {
        resolve()
        return new Promise(() => undefined)
      }
      api.answer('getGoal', never as never)
    })
    api.push(`goal/${ids.goal}`, running)
    await asked
    child.stdin?.write('\u0003')
    const { code, stdout } = await outcome
    expect(code).toBe(130)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the cursor is shown
    expect(stdout).toMatch(/\u001b\[\?25h[\s\S]*G-12 is watched no more; Dispatch does not answer/)
  }, 10_000)
})

function seen(child: ReturnType<typeof startOnTerminal>, text: string): Promise<void> {
  let all = ''
  return new Promise((resolve) => {
    child.stdout?.on('data', (data) => {
      all += data
      if (all.includes(text)) resolve()
    })
  })
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what it removes
const bare = (text: string) => text.replace(/\u001b\[[0-9;?]*[a-zA-Z]/g, '').replace(/\r/g, '')
