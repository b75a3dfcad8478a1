import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createHostedProcesses } from './hosted-processes.ts'
import type { GitProcesses } from './processes.ts'

let folder: string
let processes: GitProcesses
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dispatch-git-host-'))
  // tells who started it, or is silent until somebody writes to the pipe
  execFileSync('mkfifo', [join(folder, 'pipe')])
  writeFileSync(join(folder, 'git'), '#!/bin/sh\n[ "$1" = wait ] && read line < pipe\necho $PPID\n')
  chmodSync(join(folder, 'git'), 0o755)
  const host = join(folder, 'host.mjs')
  await build({
    ...{ entryPoints: ['git/host.ts'], outfile: host, bundle: true, logLevel: 'error' },
    ...{ platform: 'node', format: 'esm', packages: 'external' },
  })
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  processes = createHostedProcesses(host)
})
afterEach(() => {
  processes.close()
  vi.useRealTimers()
  rmSync(folder, { recursive: true, force: true })
})

const git = (...args: string[]) => processes.run({ args, cwd: folder, env: { PATH: folder } })
const hostPid = async () => Number((await git()).stdout)

test('a git host that hangs is ended: whoever waited is told to ask again, and is answered by a new one', async () => {
  const first = await hostPid()
  process.kill(first, 'SIGSTOP')
  const asked = git().catch((error) => error)
  await vi.advanceTimersByTimeAsync(31_000)
  expect(await asked).toMatchObject({
    code: 'EPIPE',
    message: 'the git host did not answer for 30 s and was ended',
  })
  expect(await hostPid()).not.toBe(first)
}, 20_000)

test('a git that is silent for a minute keeps its host, which answers for itself', async () => {
  const first = await hostPid()
  const silent = git('wait')
  for (let second = 0; second < 60; second += 10) {
    await vi.advanceTimersByTimeAsync(10_000)
    await hostPid() // by then it has answered what it was asked before
  }
  writeFileSync(join(folder, 'pipe'), '\n')
  expect(Number((await silent).stdout)).toBe(first)
}, 20_000)
