import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { EventEmitter } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BenchStack, benchFolder, startBenchStack } from './bench-stack.ts'
import { buildProgram } from './build-program.ts'
import { benchEnv } from './env.ts'
import type { ActivityReport } from './stub-worker.ts'

/** The stack with agents that are done at once, a project, and what the worker's activities report. */
export interface StubStack extends BenchStack {
  projectId: string
  /** Emits `activity` with an `ActivityReport`. */
  reports: EventEmitter<{ activity: [ActivityReport] }>
  git(...args: string[]): string
}

export async function startStubStack(): Promise<StubStack> {
  const worker = await buildProgram('stub-worker')
  const folder = benchFolder()
  const repo = join(folder, 'repo')
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=Bench', '-c', 'user.email=bench@localhost', ...args], {
      ...{ cwd: repo, encoding: 'utf8', env: benchEnv(), stdio: ['ignore', 'pipe', 'pipe'] },
    }).trim()
  const { base, head } = makeRepository(repo, git)
  const reports: StubStack['reports'] = new EventEmitter()
  const socket = createSocket('udp4')
  socket.on('message', (data) => reports.emit('activity', JSON.parse(String(data))))
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const stack = await startBenchStack({
    ...{ worker, folder },
    env: {
      BENCH_REPORT_PORT: String(socket.address().port),
      ...{ BENCH_REPO: repo, BENCH_BASE: base, BENCH_HEAD: head },
    },
  })
  const project = await stack.call<{ id: string }>('POST', '/api/projects', { path: repo })
  return {
    ...stack,
    ...{ projectId: project.id, reports, git },
    async close() {
      await stack.close()
      socket.close()
    },
  }
}

/** `main` with a few files, and a commit on top of it that adds a note. */
function makeRepository(repo: string, git: (...args: string[]) => string) {
  mkdirSync(repo)
  git('init', '-q', '-b', 'main')
  for (let n = 0; n < 20; n += 1)
    writeFileSync(join(repo, `file-${n}.js`), `export const n = ${n}\n`)
  git('add', '-A')
  git('commit', '-q', '-m', 'start')
  const base = git('rev-parse', 'HEAD')
  git('checkout', '-q', '-b', 'work')
  writeFileSync(join(repo, 'NOTE.md'), 'A note.\n')
  git('add', '-A')
  git('commit', '-q', '-m', 'note')
  const head = git('rev-parse', 'HEAD')
  git('checkout', '-q', 'main')
  return { base, head }
}
