import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { taggedProcesses } from '../adapters/process-tree.ts'

const run = promisify(execFile)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dispatch-demotest-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the demo survives its own kills, ends with a merge whose tests pass, and leaves nothing behind', async () => {
  // a temporary folder of its own, so that what is left in it can only be the demo's
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: folder }
  const cli = join(inject('dist'), 'cli.js')
  const { stdout } = await run(process.execPath, [cli, 'demo', '--kill'], { env, cwd: folder })

  const before = stdout.slice(0, stdout.indexOf('G-1: Finish textkit'))
  expect(before).toContain('the tests FAIL')
  expect(stdout).toContain('--kill: SIGKILL for the worker')
  expect(stdout).toMatch(/supervisor: worker runs again/)
  expect(stdout).toContain('on your behalf')
  const merged = stdout.slice(stdout.indexOf('G-1 is merged into main'))
  expect(merged).toMatch(/Dispatch-Goal: G-1[\s\S]*Dispatch-Review: R-\d+, R-\d+/)
  expect(merged).toContain('pass 10, fail 0, todo 0\n  the tests pass')
  expect(merged).toContain('never committed: every byte as before')
  const runs = merged.split('\n').filter((line) => line.includes('agent run'))
  expect(runs).not.toEqual([])
  for (const line of runs)
    expect(line).toMatch(/done, in its old process \d+, started once, transcript without a gap/)

  // newer versions of Node keep there what they compiled of npm, for whoever runs it next
  expect(readdirSync(folder).filter((name) => name !== 'node-compile-cache')).toEqual([])
  const left = taggedProcesses().filter(({ runDir }) => runDir?.startsWith(folder))
  expect(left).toEqual([])
}, 180_000)

test('without git the demo says so before it starts anything', async () => {
  const env = { PATH: folder, HOME: folder, TMPDIR: folder }
  const demo = run(process.execPath, [join(inject('dist'), 'cli.js'), 'demo'], { env, cwd: folder })
  const { stdout, stderr } = await demo.catch((error) => error)
  expect(stderr).toMatch(/^error: The demo needs git.*\nInstall git/)
  expect(stdout).toBe('')
})
