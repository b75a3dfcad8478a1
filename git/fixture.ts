import { execFileSync, type StdioOptions } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createGit, type Git } from './git.ts'

/** A person's real repository and a Dispatch home, in a temp folder. For tests. */
export interface Fixture {
  folder: string
  home: string
  repo: string
  git: Git
  projectId: string
  /** What agents had changed in hubs, as it was told. */
  tampered: string[]
  /** Plain git as the person runs it; stdout without the final newline. */
  sh(args: readonly string[], cwd?: string): string
  write(path: string, content: string | Buffer, cwd?: string): void
  /** Writes, adds and commits in the person's repository; returns the sha. */
  commit(files: Record<string, string | Buffer>, message?: string): string
  /** Another `git` on the same home, that the modes of files hold for also where tests are run by root. */
  unprivileged(): Git
  remove(): Promise<void>
}

const isRoot = process.getuid?.() === 0
/** Whether `unprivileged` can be made here: of root it takes Linux's `setpriv`. Where it cannot, what it would be refused is not tried. */
export const canBeRefused = !isRoot || process.platform === 'linux'

const PERSON = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  // a commit looks whether there is something to tidy up by a process of its own, which takes longer than the commit
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'maintenance.auto',
  GIT_CONFIG_VALUE_0: 'false',
  GIT_AUTHOR_NAME: 'Person',
  GIT_AUTHOR_EMAIL: 'person@example.org',
  GIT_COMMITTER_NAME: 'Person',
  GIT_COMMITTER_EMAIL: 'person@example.org',
}

/** `name` becomes the folder of the repository. */
export function createFixture(
  name = 'my repo',
  onTampered?: (projectId: string, files: readonly string[]) => Promise<void>,
): Fixture {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dispatch-git-')))
  const home = join(folder, 'home')
  const repo = join(folder, name)
  mkdirSync(repo, { recursive: true })
  const sh = (args: readonly string[], cwd = repo) =>
    execFileSync('git', args, { cwd, env: PERSON, stdio: ['ignore', 'pipe', 'pipe'] })
      .toString()
      .replace(/\n$/, '')
  const write = (path: string, content: string | Buffer, cwd = repo) => {
    mkdirSync(dirname(join(cwd, path)), { recursive: true })
    writeFileSync(join(cwd, path), content)
  }
  const tampered: string[] = []
  const collect = async (_: string, files: readonly string[]) => void tampered.push(...files)
  const git = createGit({ home, personHome: folder, onTampered: onTampered ?? collect })
  const gits = [git]
  sh(['init', '-q', '-b', 'main'])
  return {
    folder,
    home,
    repo,
    git,
    projectId: 'p1',
    tampered,
    sh,
    write,
    commit(files, message = 'change') {
      for (const [path, content] of Object.entries(files)) write(path, content)
      // one process of this large one instead of three
      const commit = 'git add -A && git commit -q -m "$1" && git rev-parse HEAD'
      const options = { cwd: repo, env: PERSON, stdio: ['ignore', 'pipe', 'pipe'] as StdioOptions }
      return execFileSync('/bin/sh', ['-ec', commit, 'sh', message], options).toString().trim()
    },
    unprivileged() {
      const bin = join(folder, 'bin')
      const drop = 'exec setpriv --bounding-set=-dac_override,-dac_read_search'
      const real = execFileSync('sh', ['-c', 'command -v git']).toString().trim()
      write('git', `#!/bin/sh\n${isRoot ? drop : 'exec'} ${real} "$@"\n`, bin)
      chmodSync(join(bin, 'git'), 0o700)
      const other = createGit({ home, path: `${bin}:${PERSON.PATH}` })
      gits.push(other)
      return other
    },
    async remove() {
      for (const each of gits) {
        await each.idle()
        each.close()
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
