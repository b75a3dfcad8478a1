import { expect, test } from 'vitest'
import { detectChecks } from './lifecycle.ts'

test('the scripts of a package.json that check something are the checks', () => {
  const scripts = { test: 'node test.js', lint: 'biome check', start: 'node .' }
  expect(detectChecks(JSON.stringify({ scripts }))).toEqual([
    { name: 'lint', command: 'npm run --silent lint' },
    { name: 'test', command: 'npm run --silent test' },
  ])
})

test.each([
  ['no package.json', undefined],
  ['no JSON', '{'],
  ['no scripts', '{}'],
  ['what npm init writes', '{"scripts":{"test":"echo \\"Error: no test specified\\" && exit 1"}}'],
])('%s names none', (_, text) => {
  expect(detectChecks(text)).toEqual([])
})
