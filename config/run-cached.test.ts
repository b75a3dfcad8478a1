import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { temporaryFolder } from '../test/support/temporary-folder.ts'

let at: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  at = temporaryFolder('dispatch-cached-')
})
afterEach(() => at.remove())

const program = () => join(at.path, 'program.cjs')
const kept = () => `${program()}.cache`

/** What the program prints, started as a server of ours is. */
function start(): string {
  const starter = join(at.path, 'start.mjs')
  const cached = pathToFileURL(join(inject('dist'), 'run-cached.js'))
  writeFileSync(
    starter,
    `import { runCached } from '${cached}'\nrunCached(new URL('./program.cjs', import.meta.url))\n`,
  )
  return execFileSync(process.execPath, [starter], { encoding: 'utf8' }).trim()
}
const write = (word: string) =>
  writeFileSync(program(), `const say = () => '${word} in ' + __dirname\nconsole.log(say())\n`)

test('what was compiled is kept from the first start on, and used', () => {
  write('first')
  expect(start()).toBe(`first in ${at.path}`)
  const { ino } = statSync(kept())
  expect(start()).toBe(`first in ${at.path}`)
  expect(statSync(kept()).ino).toBe(ino) // nothing had to be made anew
})

test('another build of the same length is never taken for the one that was compiled', () => {
  write('first')
  start()
  write('other')
  expect(start()).toBe(`other in ${at.path}`)
  expect(start()).toBe(`other in ${at.path}`)
})

test('what is damaged in the middle is never run, and made anew', () => {
  write('first')
  start()
  const whole = readFileSync(kept())
  const damaged = Buffer.from(whole)
  const at = damaged.indexOf('first')
  damaged.write('worst', at)
  writeFileSync(kept(), damaged)
  expect(at).toBeGreaterThan(0)
  expect(start()).toContain('first in ')
  expect(readFileSync(kept()).includes('worst')).toBe(false)
})

test('a program that ends badly keeps nothing', () => {
  writeFileSync(program(), 'process.exit(78)\n')
  expect(start).toThrow('Command failed')
  expect(existsSync(kept())).toBe(false)
})

test('what is torn is made anew', () => {
  write('first')
  start()
  const whole = readFileSync(kept())
  writeFileSync(kept(), whole.subarray(0, whole.length >> 1))
  expect(start()).toBe(`first in ${at.path}`)
  expect(statSync(kept()).size).toBeGreaterThan(whole.length >> 1)
})

test('where it cannot be kept the program starts all the same, and nothing is left', () => {
  write('first')
  mkdirSync(kept())
  expect(start()).toBe(`first in ${at.path}`)
  expect(readdirSync(at.path).sort()).toEqual(['program.cjs', 'program.cjs.cache', 'start.mjs'])
})
