import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findCodex, nativeProgram } from './find-codex.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'dispatch-codex-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function program(...path: string[]): string {
  const file = join(root, ...path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '#!/bin/sh\n')
  chmodSync(file, 0o755)
  return file
}

test('it is on the PATH, or where its installers put it', () => {
  const own = program('home', '.local/bin', 'codex')
  expect(findCodex({ PATH: join(root, 'bin'), HOME: join(root, 'home') })).toBe(own)
  const first = program('bin', 'codex')
  expect(findCodex({ PATH: join(root, 'bin'), HOME: join(root, 'home') })).toBe(first)
})

const target = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
const system = process.platform === 'darwin' ? 'apple-darwin' : 'unknown-linux-musl'
const native = ['vendor', `${target}-${system}`, 'bin', 'codex']
const platform = `codex-${process.platform}-${process.arch}`

test.each([
  ['nested', ['codex', 'node_modules', '@openai', platform]],
  ['beside', [platform]],
  ['inside', ['codex']],
])("behind npm's script is the real program, in a package that is %s", (_where, folder) => {
  const modules = ['lib', 'node_modules', '@openai']
  const script = program(...modules, 'codex', 'bin', 'codex.js')
  const real = program(...modules, ...folder, ...native)
  mkdirSync(join(root, 'bin'))
  symlinkSync(script, join(root, 'bin', 'codex'))
  expect(nativeProgram(join(root, 'bin', 'codex'))).toBe(real)
})

test('a script without a package of this platform, and a program of its own, are run as they are', () => {
  const script = program('codex', 'bin', 'codex.js')
  expect(nativeProgram(script)).toBe(script)
  const own = program('bin', 'codex')
  expect(nativeProgram(own)).toBe(own)
})
