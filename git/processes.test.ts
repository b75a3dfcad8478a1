import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createGitRunner } from './run.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'dispatch-git-'))
  writeFileSync(join(home, 'git'), '#!/bin/sh\nexec /bin/sleep 1000\n')
  chmodSync(join(home, 'git'), 0o755)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(home, { recursive: true, force: true })
})

test('a git that hangs is ended, and says what to look at', async () => {
  const git = createGitRunner({ home, path: home, personHome: home })
  const hub = join(home, 'hubs', 'p', 'clean.git')
  mkdirSync(hub, { recursive: true })
  const failure = (asked: Promise<unknown>) => asked.then(String, (error) => error)
  const asked = [
    failure(git.text(['status'], {})),
    failure(git.pipe(['pack-objects'], {}, ['index-pack'], {})),
    failure(git.look(hub, 'refs/heads/main')),
  ]
  const minutes = (n: number) => vi.advanceTimersByTimeAsync(n * 60_000)
  await minutes(1) // the reader that is kept for questions answers sooner, or another git is asked
  await minutes(10)
  for (const one of asked)
    expect(await one).toMatchObject({
      ...{ name: 'GitProblem', code: 'git_stuck' },
      message: expect.stringContaining('git said nothing for 10 minutes and was ended. Look at'),
    })
}, 20_000)

test('where the folder went away while git was asked, it is not git that is said to be missing', async () => {
  const git = createGitRunner({ home, path: home, personHome: home })
  const cwd = join(home, 'moved\naway')
  const asked = git.text(['status'], { cwd })
  await expect(asked).rejects.toMatchObject({
    code: 'not_found',
    message: `${home}/moved away does not exist any more. Put the repository back where it was.`,
  })
  rmSync(join(home, 'git'))
  await expect(git.text(['status'], { cwd: home })).rejects.toMatchObject({ code: 'git_missing' })
})

test('a git that has read all it needs may end before it is told that this was all', async () => {
  // the writer goes on until nobody listens any more
  const script = `#!/bin/sh
case "$*" in *index-pack*) exit 0 ;; esac
trap '' PIPE
while echo more; do :; done 2>/dev/null
exit 0
`
  writeFileSync(join(home, 'git'), script)
  const git = createGitRunner({ home, path: home, personHome: home })
  await git.pipe(['pack-objects'], {}, ['index-pack'], {})
})

test('of a git that refuses what it reads the reason is told, and not that its writer had nobody to write to', async () => {
  const script = `#!/bin/sh
case "$*" in *index-pack*) echo 'fatal: it is hostile' >&2; exit 128 ;; esac
while echo more; do :; done 2>/dev/null
exit 1
`
  writeFileSync(join(home, 'git'), script)
  const git = createGitRunner({ home, path: home, personHome: home })
  await expect(git.pipe(['pack-objects'], {}, ['index-pack'], {})).rejects.toThrow('it is hostile')
})
