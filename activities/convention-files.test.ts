import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { conventionFiles } from './convention-files.ts'

let repository: string
beforeEach(() => {
  repository = mkdtempSync(join(tmpdir(), 'dispatch-conventions-'))
})
afterEach(() => rmSync(repository, { recursive: true }))

const write = (files: Record<string, string>) => {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(repository, name), text)
}

test('the first of its files speaks', async () => {
  expect(await conventionFiles(repository)).toBe('')
  write({ 'GEMINI.md': 'Use spaces.\n', 'AGENTS.md': 'Use tabs.\n' })
  expect(await conventionFiles(repository)).toBe('From AGENTS.md:\nUse tabs.\n')
})

test('an empty one does not, and one that leads to another is that one', async () => {
  write({ 'CLAUDE.md': ' \n', 'GEMINI.md': 'Use tabs.\n' })
  symlinkSync('GEMINI.md', join(repository, 'AGENTS.md'))
  expect(await conventionFiles(repository)).toBe('From GEMINI.md:\nUse tabs.\n')
})

test.each(['@AGENTS.md', '# Rules\n\nSee @./AGENTS.md.\n'])(
  'what %j brings in is told with it',
  async (claude) => {
    write({ 'CLAUDE.md': claude, 'AGENTS.md': 'Use tabs.\n', 'GEMINI.md': 'Use spaces.\n' })
    expect(await conventionFiles(repository)).toBe(
      `From CLAUDE.md:\n${claude}\n\nFrom AGENTS.md:\nUse tabs.\n`,
    )
  },
)

test.each(['Write `@AGENTS.md` so.', 'Mail me@AGENTS.md', '@docs/AGENTS.md', '@../AGENTS.md'])(
  '%j brings in nothing',
  async (claude) => {
    mkdirSync(join(repository, 'docs'))
    write({ 'CLAUDE.md': claude, 'AGENTS.md': 'Use tabs.\n', 'docs/AGENTS.md': 'no\n' })
    expect(await conventionFiles(repository)).toBe(`From CLAUDE.md:\n${claude}`)
  },
)
