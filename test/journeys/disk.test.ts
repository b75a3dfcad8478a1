import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from '../../cli/testing/run-cli.ts'
import { processEnv } from '../../config/config.ts'
import type { Reply } from '../../contracts/api.ts'
import { type Installation, startInstallation } from '../support/installation.ts'

type Goal = Reply<'getGoal'>

const waitsForDisk = (stage: string) => (goal: Goal) =>
  goal.stages.some(
    (s) => s.stage === stage && s.status === 'waiting' && /disk/.test(s.reason ?? ''),
  )
const passed = (stage: string) => (goal: Goal) =>
  goal.stages.some((s) => s.stage === stage && s.status === 'passed')
const reasonOf = (goal: Goal, stage: string) =>
  goal.stages.findLast((s) => s.stage === stage)?.reason

/** A small disk of its own, where the system lets us have one. */
function mountSmallDisk(megabytes: number): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'dispatch-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], {
      stdio: 'ignore',
    })
    return folder
  } catch {
    rmSync(folder, { recursive: true })
    return undefined // not root, or a container without the right to mount
  }
}

function unmount(folder: string): void {
  execFileSync('umount', ['-l', folder])
  rmSync(folder, { recursive: true, force: true })
}

/** Leaves about so many MiB free on the disk of `folder`; gives the file to remove again. */
async function fill(folder: string, leaveMb: number): Promise<string> {
  const file = join(folder, 'ballast')
  const { bavail, bsize } = statfsSync(folder)
  try {
    // not at once: while this process stands still, a connection that it keeps may be closed
    await writeFile(file, Buffer.alloc(Math.max(0, bavail * bsize - leaveMb * 1024 ** 2)))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
  return file
}

test('with an injected threshold: a goal is accepted, its run waits in line and says why, and goes on when there is space', async () => {
  const at = await startInstallation({ env: { DISPATCH_MIN_FREE_MB: '999999999' } })
  try {
    const { id } = await at.project()
    const goal = await at.goal(id, 'Finish textkit [demo:all=instant]')
    const waiting = await at.until(goal.id, waitsForDisk('spec'))
    expect(reasonOf(waiting, 'spec')).toMatch(
      /^in line, place 1: disk almost full: \d+ MB free on .*\/dispatch; free some space$/,
    )
    const pool = (await at.call<Reply<'getPool'>>('GET', '/api/pool')).body
    expect(pool.held).toEqual([])
    expect(pool.waiting[0]?.reason).toMatch(/^disk almost full: \d+ MB free/)
    const shown = await cli(at, 'goal', 'show', goal.shortId)
    expect(shown.stdout).toMatch(/disk almost full: \d+ MB free/)
    expect(await at.database.knex('agent_runs').where({ goal_id: goal.id })).toEqual([])
    const gone = new Promise((resolve) => at.worker.once('exit', resolve))
    at.worker.kill('SIGTERM')
    await gone
    await at.restartWorker({ DISPATCH_MIN_FREE_MB: '0' })
    await at.until(goal.id, (g) => g.reviews.some((r) => r.status === 'pending'))
  } finally {
    await at.close()
  }
})

// tried and given back: what is mounted for a test that is then left out would stay
const tried = mountSmallDisk(1)
if (tried) unmount(tried)
const where = tried ? 'tmpfs' : 'not tried: this user may not mount one'

test.skipIf(!tried)(
  `on a small disk of its own (${where}): a run waits below the threshold and goes on by itself when there is space again`,
  async () => {
    const folder = mountSmallDisk(400) as string
    const at = await startInstallation({ folder, env: { DISPATCH_MIN_FREE_MB: '100' } })
    try {
      const { id } = await at.project()
      const goal = await at.goal(id, 'Finish textkit [demo:all=instant]')
      await at.until(goal.id, (g) => g.reviews.some((r) => r.status === 'pending'))
      const ballast = await fill(folder, 20)
      await at.decide(goal.id, 'spec')
      const waiting = await at.until(goal.id, waitsForDisk('test_spec'))
      const free = Number(/almost full: (\d+) MB/.exec(reasonOf(waiting, 'test_spec') ?? '')?.[1])
      expect(free).toBeLessThan(100)
      rmSync(ballast)
      await at.until(goal.id, passed('test_spec'))
      await at.call('POST', `/api/goals/${goal.id}/cancel`, {})
      await at.until(goal.id, (g) => g.status === 'cancelled')

      // not guarded at all: what is really full is a state with its reason, and passes by itself
      const gone = new Promise((resolve) => at.worker.once('exit', resolve))
      at.worker.kill('SIGTERM')
      await gone
      await at.restartWorker({ DISPATCH_MIN_FREE_MB: '0' })
      const second = await at.goal(id, 'Finish it again [demo:all=instant] [demo:no-changes]')
      await at.until(second.id, (g) => g.reviews.some((r) => r.status === 'pending'))
      const all = await fill(folder, 0)
      await at.decide(second.id, 'spec')
      const stuck = await at.until(second.id, waitsForDisk('test_spec'))
      expect(reasonOf(stuck, 'test_spec')).toMatch(
        /^in line, place \d: disk full: .*; free some space$/,
      )
      rmSync(all)
      await at.until(second.id, passed('test_spec'))
    } finally {
      await at.close()
      unmount(folder)
    }
  },
)

test.skipIf(!tried)(
  `a start on a full disk, and a look at one that takes nothing, say what to do (${where})`,
  async () => {
    const folder = mountSmallDisk(1) as string
    const on = (command: string, home = join(folder, 'home')) =>
      runCli([command, '--home', home], {
        env: { HOME: folder, PATH: processEnv()['PATH'] ?? '' },
      })
    try {
      await fill(folder, 0)
      const { code, stderr } = await on('start')
      expect(code).toBe(1)
      expect(stderr).toMatch(/error: ENOSPC.*\nFree some space, then try again\.\n$/)
      execFileSync('mount', ['-o', 'remount,ro', folder])
      const { stdout } = await on('doctor')
      expect(stdout).toMatch(/✗ disk: nothing can be written in .*EROFS.*\n.*move DISPATCH_HOME\n/)
      const elsewhere = await on('doctor', join(tmpdir(), 'nowhere'))
      expect(elsewhere.stdout).toMatch(/✗ disk: nothing .*EROFS.*\n.*keep their sessions there\n/)
    } finally {
      unmount(folder)
    }
  },
)

const cli = (at: Installation, ...args: string[]) =>
  runCli([...args, '--url', at.url, '--home', join(at.home, 'dispatch')], {
    env: { HOME: at.home, PATH: processEnv()['PATH'] ?? '' },
  })
