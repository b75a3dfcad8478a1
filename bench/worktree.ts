import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createGit } from '../git/git.ts'
import { benchEnv } from './lib/env.ts'
import { fileRoot } from './lib/fsroot.ts'
import { roundRobin } from './lib/round-robin.ts'
import { type Bench, type BenchContext, compared, type Row } from './lib/row.ts'
import { timed } from './lib/stats.ts'

/** A task's own worktree, ready to work in, from the warm pool: it must not depend on how large the repository is. */
export const worktree: Bench = {
  name: 'worktree',
  async run(context) {
    const root = fileRoot(context.say)
    try {
      const rows: Row[] = []
      for (const files of context.quick ? [1_000, 20_000] : [1_000, 20_000, 100_000])
        rows.push(await claimAt(root, files, context))
      return [...rows, flatness(rows)]
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  },
}

async function claimAt(root: string, files: number, { quick, say }: BenchContext): Promise<Row> {
  const folder = join(root, `${files}`)
  const repo = join(folder, 'repo')
  const git = createGit({ home: join(folder, 'home') })
  const base = makeRepository(repo, files)
  const projectId = 'bench'
  const hub = join(folder, 'home', 'hubs', projectId, 'sandbox.git')
  const plain = join(folder, 'plain')
  await git.ensureHubs({ projectId, repoPath: repo })
  await git.importTarget({ projectId, repoPath: repo, target: 'main' })
  const built = await timed(() => git.warm({ projectId, base, slots: 1 }))
  say(`worktree: ${files} files; building one slot took ${built.toFixed(0)} ms`)
  const figures = await roundRobin({
    rounds: quick ? 9 : 21,
    async subject(round) {
      const key = `task/${round}`
      const ms = await timed(() =>
        git.claimWorktree({ projectId, key, base, branch: `dispatch/T-${round}` }),
      )
      await git.releaseWorktree({ projectId, key })
      await git.idle()
      return ms
    },
    async floor(round) {
      const args = ['worktree', 'add', '-q', '--no-checkout', '-b', `plain-${round}`, plain, base]
      const ms = await timed(() => gitIn(hub, args))
      gitIn(hub, ['worktree', 'remove', '--force', plain])
      return ms
    },
  })
  rmSync(folder, { recursive: true, force: true })
  return compared(`worktree.${files}`, `worktree ready, warm, ${files} files`, figures, {
    floor: '`git worktree add --no-checkout`',
    ...{ aim: '<= 1.5x', met: figures.ratio <= 1.5 },
    peers:
      files === 1_000 ? '87 to 485 ms with the start' : files === 20_000 ? '0.47 to 1.4 s' : '',
  })
}

function flatness(rows: readonly Row[]): Row {
  const times = rows.map(({ value }) => value)
  const value = Math.max(...times) / Math.min(...times)
  return {
    ...{ id: 'worktree.flat', what: 'slowest size over quickest', unit: 'x', value },
    ...{ aim: '<= 1.2x', met: value <= 1.2 },
  }
}

function gitIn(gitDir: string, args: readonly string[]): void {
  execFileSync('git', ['--git-dir', gitDir, ...args], { env: benchEnv(), stdio: 'ignore' })
}

/** A commit with so many small files, made without writing one of them out. */
function makeRepository(repo: string, files: number): string {
  mkdirSync(repo, { recursive: true })
  const git = (args: string[], input?: string) =>
    spawnSync('git', args, {
      cwd: repo,
      env: benchEnv(),
      encoding: 'utf8',
      ...(input ? { input } : {}),
    })
  git(['init', '-q', '-b', 'main'])
  const lines = [
    'commit refs/heads/main',
    'committer Bench <bench@localhost> 1700000000 +0000',
    'data 5',
    'start',
  ]
  for (let n = 0; n < files; n += 1) {
    const text = `export const value${n} = ${n}\n${'// some text\n'.repeat(n % 40)}`
    lines.push(`M 100644 inline src/d${n % 97}/f${n}.js`, `data ${text.length}`, text)
  }
  const done = git(['fast-import', '--quiet'], `${lines.join('\n')}\n`)
  if (done.status !== 0) throw new Error(done.stderr)
  return git(['rev-parse', 'main']).stdout.trim()
}
