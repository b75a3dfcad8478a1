import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { RunSpec } from '../contracts/agent.ts'
import { gitRead } from './claude/access.ts'
import { policyOf } from './gemini/policy.ts'
import { makeRunHome } from './gemini/run-home.ts'

/** A rule of Gemini's policy for its shell, as it reads them. */
const rules = policyOf('read')
  .split('[[rule]]')
  .filter((rule) => rule.includes('"run_shell_command"'))
  .map((rule) => ({
    allows: rule.includes('"allow"'),
    pattern: new RegExp(/argsPattern = '(.*)'/.exec(rule)?.[1] ?? ''),
  }))
/** Gemini's policy on the arguments of its shell, which it writes down sorted, since some version with zero characters around each. */
function geminiAllows(args: Record<string, unknown>, around: '' | '\0' = '\0'): boolean {
  const pairs = Object.keys(args)
    .toSorted()
    .map((name) => `${around}${JSON.stringify(name)}:${JSON.stringify(args[name])}${around}`)
  const matching = rules.filter(({ pattern }) => pattern.test(`{${pairs.join(',')}}`))
  return matching.length > 0 && matching.every(({ allows }) => allows)
}

/** Whether both may say it, only who can tell what is in quotes, or nobody. */
const COMMANDS: [command: string, who: 'both' | 'claude' | 'nobody'][] = [
  ['git log --oneline -5', 'both'],
  ['git --no-pager diff HEAD~1 -- src/a.ts', 'both'],
  ['git show HEAD:package.json', 'both'],
  ['git grep -n todo src', 'both'],
  ['git status', 'both'],
  ['git blame a.sh', 'both'],
  ['git grep -n "todo" src', 'claude'],
  ["git log --for'mat'=%s", 'claude'],
  ['git log | tee x', 'nobody'],
  ['git diff --output=x', 'nobody'],
  ['git blame --output=x a.sh', 'nobody'],
  ['git diff > x', 'nobody'],
  ['git diff --ext-diff', 'nobody'],
  ['git grep -Osh touch', 'nobody'],
  ['git grep -nOsh touch', 'nobody'],
  ['git grep --op=sh touch', 'nobody'],
  ['git grep --ope=sh touch', 'nobody'],
  ['git grep {-n,-Osh} touch', 'nobody'],
  ['git grep --textc touch', 'nobody'],
  ['git log --format=%GS', 'nobody'],
  ['git -c core.pager=touch log', 'nobody'],
  ['git commit -m x', 'nobody'],
  ['git log; rm -rf .', 'nobody'],
  ['git log\nrm x', 'nobody'],
  ['git log $(touch x)', 'nobody'],
  ['git log `touch x`', 'nobody'],
  ['git logx', 'nobody'],
  ['git diff --out"put"=x', 'nobody'],
  ['git diff {--output=x,HEAD}', 'nobody'],
  ['git show --show-signature', 'nobody'],
  ['npm test', 'nobody'],
  ['rm git log', 'nobody'],
]

test.each(COMMANDS)('%j may say, where it may only read: %s', (command, who) => {
  expect(gitRead(command) !== undefined).toBe(who !== 'nobody')
  for (const around of ['', '\0'] as const)
    expect(geminiAllows({ command, description: 'Looks.' }, around)).toBe(who === 'both')
})

test('another argument that holds a command which looks does not let one through that acts', () => {
  expect(geminiAllows({ command: 'touch x', description: { command: 'git log' } })).toBe(false)
  expect(geminiAllows({ command: 'touch x', a: { command: 'git log' } })).toBe(false)
})

describe('git itself', () => {
  /** What it left behind in a repository whose only file is a script. */
  function leaves(command: string): string[] {
    const folder = mkdtempSync(join(tmpdir(), 'dispatch-git-reads-'))
    try {
      writeFileSync(join(folder, 'a.sh'), 'touch started\n')
      const git = (...args: string[]) => execFileSync('git', args, { cwd: folder })
      git('init', '-q')
      git('add', '.')
      git('-c', 'user.name=T', '-c', 'user.email=t@localhost', 'commit', '-qm', 'one')
      spawnSync('bash', ['-c', command], { cwd: folder })
      return readdirSync(folder).filter((name) => !['.git', 'a.sh'].includes(name))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  test.each([
    ['git grep -Osh touch', 'started'],
    ['git grep -nOsh touch', 'started'],
    ['git grep --op=sh touch', 'started'],
    ['git grep --ope=sh touch', 'started'],
    ['git grep {-n,-Osh} touch', 'started'],
    ['git diff --output=x', 'x'],
    ['git blame --output=x a.sh', 'x'],
  ])('acts at %s', (command, left) => {
    expect(leaves(command)).toEqual([left])
    expect(gitRead(command)).toBeUndefined()
    expect(geminiAllows({ command })).toBe(false)
  })

  test('leaves nothing at what may be said', () => {
    const said = COMMANDS.filter(([, who]) => who !== 'nobody').map(([command]) => command)
    expect(leaves(said.join('\n'))).toEqual([])
  })

  test('obeys no folder of the project that is a bare repository, whose config came with a clone', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dispatch-git-reads-'))
    const bare = join(folder, 'docs')
    const started = join(folder, 'started')
    const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: folder, TMPDIR: folder }
    /** Whether the program of its config ran, and what git said against it. */
    const look = (command: string, more = {}) => {
      rmSync(started, { force: true })
      const options = { cwd: bare, env: { ...env, ...more }, encoding: 'utf8' as const }
      const { stderr } = spawnSync('sh', ['-c', command], options)
      return { ran: existsSync(started), refused: stderr.includes('safe.bareRepository') }
    }
    try {
      execFileSync('git', ['init', '-q', '--bare', bare])
      const settings = { bare: 'false', worktree: bare, fsmonitor: `touch ${started};:` }
      for (const [name, value] of Object.entries(settings))
        execFileSync('git', ['--git-dir', bare, 'config', `core.${name}`, value])
      expect(look('git status')).toEqual({ ran: true, refused: false })
      const no = { ran: false, refused: true }
      expect(look(gitRead('git status') ?? '')).toEqual(no)
      // Gemini CLI runs a command as the model gave it, in any folder of the project
      const spec: RunSpec = {
        ...{ runId: 'r', adapter: 'gemini', access: 'read', prompt: '', cwd: folder, env },
        ...{ newSessionId: 's', silenceSeconds: 60, leaseSeconds: 60 },
      }
      expect(look('git status', makeRunHome(spec).env)).toEqual(no)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
