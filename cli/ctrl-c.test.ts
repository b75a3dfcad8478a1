import { expect, test } from 'vitest'
import { ctrlC } from './ctrl-c.ts'

test('a Ctrl-C that arrives by two ways is one, and cuts no clean end short; a second one does', () => {
  const said: string[] = []
  let now = 1_000
  const deps = { asks: () => said.push('asked'), ends: () => said.push('ended') }
  const signal = ctrlC(deps, () => now)
  signal()
  now += 20
  signal()
  expect(said).toEqual(['asked'])
  now += 500
  signal()
  expect(said).toEqual(['asked', 'ended'])
})
