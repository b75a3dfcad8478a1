import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { plainWords } from './plain-words.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'dispatch-plain-words-'))
  for (const folder of ['src', '@types']) mkdirSync(join(cwd, folder))
  writeFileSync(join(cwd, 'AGENTS.md'), 'Use tabs.\n')
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

test.each([
  ['Read @src/list.ts and @AGENTS.md.', 'Read \\@src/list.ts and \\@AGENTS.md.'],
  ['In @./src, @/etc/hostname, @"a b", @src', 'In \\@./src, \\@/etc/hostname, \\@"a b", \\@src'],
  ['root@src', 'root\\@src'],
  ['@@types', '\\@\\@types'],
])('%s: what is there is not read in', (text, plain) => {
  expect(plainWords(text, cwd)).toBe(plain)
})

test.each([
  'Mail ada@example.org, use @types/node and @app.route("/")',
  '@@ -1,3 +1,4 @@',
  'an @ alone, and \\@src',
])('%s: what names no file stays as it is', (text) => {
  expect(plainWords(text, cwd)).toBe(text)
})

test('a slash at the beginning is no command', () => {
  expect(plainWords('/compress', cwd)).toBe('\n/compress')
})
