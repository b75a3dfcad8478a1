import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../config/home.ts'

test('a build is done once, and again when what it made is gone or damaged', () => {
  const root = mkdtempSync(join(tmpdir(), 'dispatch-build-'))
  try {
    for (const name of ['scripts', 'prompts', 'package.json', 'package-lock.json'])
      cpSync(join(packageRoot(), name), join(root, name), { recursive: true })
    mkdirSync(join(root, 'dist'))
    const build = () =>
      execFileSync(process.execPath, ['scripts/build.mjs', 'prompts'], { cwd: root }).toString()
    expect(build()).toContain('built prompts')
    expect(build()).not.toContain('built')
    const made = join(root, 'dist', 'prompts', 'spec.md')
    const prompt = readFileSync(made, 'utf8')
    rmSync(made)
    expect(build()).toContain('built prompts')
    writeFileSync(made, 'half of')
    expect(build()).toContain('built prompts')
    expect(readFileSync(made, 'utf8')).toBe(prompt)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
