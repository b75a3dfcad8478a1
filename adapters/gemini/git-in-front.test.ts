import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { putGitInFront } from './git-in-front.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dispatch-git-in-front-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** What Gemini CLI sets for its shell. */
const ITS_OWN = {
  GIT_CONFIG_COUNT: '2',
  GIT_CONFIG_KEY_0: 'core.fsmonitor',
  GIT_CONFIG_VALUE_0: '',
  GIT_CONFIG_KEY_1: 'diff.external',
  GIT_CONFIG_VALUE_1: '',
}

test("a diff is git's own although Gemini CLI names an empty program for it", () => {
  const given = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: folder }
  const cwd = folder
  execFileSync('git', ['init', '-q'], { cwd })
  writeFileSync(join(cwd, 'a.txt'), 'one\n')
  execFileSync('git', ['add', 'a.txt'], { cwd })
  writeFileSync(join(cwd, 'a.txt'), 'two\n')
  const diff = (env: Record<string, string>) =>
    spawnSync('sh', ['-c', 'git diff -- "a.txt"'], { cwd, env, encoding: 'utf8' })
  expect(diff({ ...given, ...ITS_OWN }).stderr).toContain('external diff died')
  const ours = diff({ ...given, ...ITS_OWN, ...putGitInFront(folder, given) })
  expect(ours).toMatchObject({ status: 0, stderr: '' })
  expect(ours.stdout).toContain('-one\n+two\n')
})
