import { expect, test } from 'vitest'
import { type ChangedFile, checklistDoubts, judgeFile, reviewTier } from './blast-radius.ts'

const file = (path: string, more: Partial<ChangedFile> = {}): ChangedFile => ({
  path,
  status: 'modified',
  additions: 3,
  deletions: 1,
  binary: false,
  modeChanged: false,
  symlink: false,
  submodule: false,
  suspicious: [],
  ...more,
})

test.each([
  ['README.md', 'low'],
  ['docs/guide/usage.rst', 'low'],
  ['LICENSE', 'low'],
  ['packages/a/CHANGELOG.txt', 'low'],
  ['docs/guide/usage.txt', 'medium'],
  ['docs/conf.py', 'medium'],
  ['docs/build.js', 'medium'],
  ['src/notes/api.ts', 'medium'],
  ['src/license/verify.ts', 'medium'],
  ['readme-tools/run.sh', 'medium'],
  ['README.sh', 'medium'],
  ['requirements.txt', 'high'],
  ['api/requirements-dev.txt', 'high'],
  ['CMakeLists.txt', 'high'],
  ['Makefile', 'high'],
  ['AGENTS.md', 'high'],
  ['web/CLAUDE.md', 'high'],
  ['web/CLAUDE.local.md', 'high'],
  ['AGENTS.override.md', 'high'],
  ['src/api.instructions.md', 'high'],
  ['AGENTSCHEMA.md', 'low'],
  ['.agents/skills/x/SKILL.md', 'high'],
  ['.cursor/rules/x.md', 'high'],
  ['packages/a/.opencode/agent/x.md', 'high'],
  ['skills/x/notes.md', 'high'],
  ['prompts/verify.md', 'high'],
  ['src/commands/list.ts', 'medium'],
  ['package-lock.json', 'high'],
  ['yarn.lock', 'high'],
  ['build.gradle', 'high'],
  ['app/build.gradle.kts', 'high'],
  ['src/list.ts', 'medium'],
  ['test/list.test.ts', 'medium'],
  ['src/auth/login.ts', 'high'],
  ['docs/auth/password-reset.md', 'high'],
  ['package.json', 'high'],
  ['.github/workflows/ci.yml', 'high'],
  ['db/migrations/004.sql', 'high'],
  ['.gitattributes', 'high'],
  ['Dockerfile', 'high'],
])('%s is of %s risk', (path, risk) => {
  expect(judgeFile(file(path)).risk).toBe(risk)
})

test.each([
  ['hidden characters', { suspicious: ['U+202E'] }],
  ['a link', { symlink: true }],
  ['a submodule', { submodule: true }],
  ['a mode change', { modeChanged: true }],
  ['a binary', { binary: true }],
] as const)('%s is of high risk even in documentation, and says why', (_name, more) => {
  const judged = judgeFile(file('README.md', more))
  expect(judged.risk).toBe('high')
  expect(judged.notes.join()).not.toBe('')
})

test('a file moved out of a risky place stays risky, and a deleted one is', () => {
  expect(judgeFile(file('notes/x.md', { oldPath: '.github/workflows/ci.yml' })).risk).toBe('high')
  expect(judgeFile(file('src/list.ts', { status: 'deleted' })).risk).toBe('high')
})

test('code that is renamed to look like documentation is not documentation', () => {
  const moved = file('src/list.md', { oldPath: 'src/list.ts', status: 'renamed' })
  expect(reviewTier({ files: [moved], doubts: [] }).tier).toBe('block')
})

test.each([
  ['pass', []],
  ['fail', ['a check failed']],
  ['warn', ['verify warns of 1 item']],
  ['unchecked', ['nobody checked 1 item']],
] as const)('an item that is %s among others that pass', (result, doubts) => {
  expect(checklistDoubts([{ result: 'pass' }, { result }])).toEqual(doubts)
})

test.each([
  ['documentation alone goes on by itself', { files: [file('README.md')], doubts: [] }, 'auto'],
  [
    'much documentation is told of',
    { files: [file('README.md', { additions: 900 })], doubts: [] },
    'notify',
  ],
  ['code is looked at', { files: [file('README.md'), file('src/a.ts')], doubts: [] }, 'block'],
  [
    'doubts are looked at',
    { files: [file('README.md')], doubts: ['the agent deviated from the spec'] },
    'block',
  ],
  ['nothing at all is looked at', { files: [], doubts: [] }, 'block'],
] as const)('%s', (_name, change, tier) => {
  expect(reviewTier(change as never).tier).toBe(tier)
})

test('what is counted is said in words that fit', () => {
  const said = (...files: Parameters<typeof file>[]) =>
    reviewTier({ files: files.map((of) => file(...of)), doubts: [] }).reason
  expect(said(['src/a.ts', { additions: 1, deletions: 0 }])).toBe('code changed: 1 file, 1 line')
  expect(
    said(
      ['src/a.ts', { additions: 1, deletions: 0 }],
      ['src/b.ts', { additions: 1, deletions: 0 }],
    ),
  ).toBe('code changed: 2 files, 2 lines')
  expect(checklistDoubts([{ result: 'warn' }])).toEqual(['verify warns of 1 item'])
})
