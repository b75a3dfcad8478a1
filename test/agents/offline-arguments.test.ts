import { expect, test } from 'vitest'
import { withClaude } from './offline-arguments.ts'

test('the offline demo is one of Claude Code, also where nobody said so, and no other', () => {
  expect(withClaude(['--kill'])).toEqual(['--agent', 'claude', '--kill'])
  expect(withClaude(['--agent=claude'])).toEqual(['--agent=claude'])
  expect(withClaude(['--agent', 'claude', '--keep'])).toEqual(['--agent', 'claude', '--keep'])
  expect(() => withClaude(['--agent', 'demo'])).toThrow('leave out --offline for demo')
})
