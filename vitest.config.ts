import { execFileSync } from 'node:child_process'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const disk = tmpdir()
/** Where tests make their files: in memory where there is room, for their repositories and databases are a million small files. */
process.env['TMPDIR'] = isRoomy('/dev/shm') ? '/dev/shm' : disk

/** Node reads these certificates at each start, which takes it more time than all else, and only npm needs them (test/support/npm.ts). */
const env = {
  NODE_EXTRA_CA_CERTS: '',
  DISPATCH_TEST_CA_CERTS: process.env['NODE_EXTRA_CA_CERTS'] ?? '',
}

type Options = NonNullable<TestProjectInlineConfiguration['test']>
const options: Options = {
  env,
  exclude: ['**/node_modules/**', 'dist/**', '.dispatch/**'],
  css: true, // a test of the UI reads its colours
  pool: 'forks',
  isolate: false, // they leave nothing behind, and a process for each costs more than most of them
  testTimeout: 300_000, // a journey of 35 s was seen to take 180 where every process took five times its CPU
  expect: { poll: { timeout: 30_000 } }, // what a person waits for after a click, on a busy machine
  maxConcurrency: 4,
  hookTimeout: 120_000,
}
/** Codex's own sandbox hides a working folder below /dev. */
const ON_DISK = [
  'test/agents/{codex,codex-exec,real-conformance,sandbox}.test.ts',
  'test/journeys/codex.test.ts',
  // its real program then writes what others play
  ...(process.env['DISPATCH_RECORD'] ? ['test/agents/recorded-conformance.test.ts'] : []),
]
/** Temporal's Runtime is there once in a process. */
const WORKERS = ['test/workflows.test.ts', 'test/replay.test.ts', 'test/long-wait.test.ts']

/** Whole journeys wait for agents, and the last of them should not be alone on the machine at the end. */
class LongOnesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification) => moduleId.includes('/test/')
    const projects = [...new Set(sorted.map((file) => file.project))]
    return projects.flatMap((project) => {
      const own = sorted.filter((file) => file.project === project)
      return [...own.filter(isLong), ...own.filter((file) => !isLong(file))]
    })
  }
}

export default defineConfig({
  test: {
    globalSetup: ['./test/global-setup.ts'],
    maxWorkers: 4, // twice the cores that the suite is measured on: journeys also wait
    sequence: { sequencer: LongOnesFirst },
    projects: [
      project('disk', ON_DISK, { env: { ...env, TMPDIR: disk } }),
      project('memory', ['**/*.test.{ts,tsx}'], { not: [...ON_DISK, ...WORKERS] }),
      project('workers', WORKERS, { isolate: true }),
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

/** In a container it is often there with 64 MB, of which nothing may be run; the packed program that a test installs has 740. */
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
