import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createPrompts } from './prompts.ts'

function folderWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'dispatch-prompts-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'repair.md'), text)
  return folder
}

test("a person's own copy of a prompt comes before the built-in one, and text is put in as it is", async () => {
  const prompts = createPrompts([folderWith('Mine: {{errors}}'), folderWith('Ours: {{errors}}')])
  expect(await prompts.render('repair', { errors: '$& {{errors}}' })).toBe('Mine: $& {{errors}}')
})

test('a hole that nothing is put into is told with the file, what it may have and what to do', async () => {
  const folder = folderWith('Look at {{error}}')
  await expect(createPrompts([folder]).render('repair', { errors: 'x' })).rejects.toThrow(
    `${join(folder, 'repair.md')} has {{error}}, but Dispatch puts text only into {{errors}}. Correct that file, then retry.`,
  )
  await expect(createPrompts([folder]).render('repair', {})).rejects.toThrow(
    'into nothing in this one',
  )
})
