import { execFileSync } from 'node:child_process'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'

const disk = tmpdir()
/** Where tests make their files: in memory where there is room, for their repositories and databases are a million small files. */
process.env['TMPDIR'] = isRoomy('/dev/shm') ? '/dev/shm' : disk

type Options = NonNullable<TestProjectInlineConfiguration['test']>
const options: Options = {
  exclude: ['**/node_modules/**', 'dist/**', '.dispatch/**'],
  css: true, // a test of the UI reads its colours
  pool: 'forks',
  isolate: false, // they leave nothing behind, and a process for each costs more than most of them
  testTimeout: 180_000,
  expect: { poll: { timeout: 30_000 } }, // what a person waits for after a click, on a busy machine
  maxConcurrency: 4,
  hookTimeout: 120_000,
}
/** Codex's own sandbox hides a working folder below /dev. */
const ON_DISK = ['test/agents/**/*.test.ts', 'test/journeys/codex.test.ts']
/** Temporal's Runtime is there once in a process. */
const WORKERS = ['test/workflows.test.ts', 'test/replay.test.ts', 'test/long-wait.test.ts']

export default defineConfig({
  test: {
    globalSetup: ['./test/global-setup.ts'],
    maxWorkers: 3, // one more than the cores that the suite is measured on: journeys also wait
    projects: [
      project('journeys', ['test/**/*.test.ts'], { not: [...ON_DISK, ...WORKERS] }),
      project('agents', ON_DISK, { env: { TMPDIR: disk } }),
      project('workers', WORKERS, { isolate: true }),
      project('parts', ['**/*.test.{ts,tsx}'], { not: ['test/**'] }),
    ],
  },
})

function project(
  name: string,
  include: string[],
  { not = [], ...more }: { not?: string[] } & Options = {},
): TestProjectInlineConfiguration {
  const exclude = [...(options.exclude ?? []), ...not]
  return { test: { ...options, name, include, exclude, ...more } }
}

/** In a container it is often there with 64 MB, of which nothing may be run; the packed program that a test installs has 820. */
function isRoomy(folder: string): boolean {
  const program = join(folder, `dispatch-probe-${process.pid}`)
  try {
    const { bavail, bsize } = statfsSync(folder)
    if (bavail * bsize < 4e9) return false
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o700, flag: 'wx' })
    execFileSync(program)
    return true
  } catch {
    return false // not on this system, or nothing that tests could use
  } finally {
    rmSync(program, { force: true })
  }
}
