import { expect, test } from 'vitest'
import { splitAdvice } from './adapter-advice.ts'

test.each([
  [
    'Install it: npm install -g @anthropic-ai/claude-code',
    'npm install -g @anthropic-ai/claude-code',
  ],
  ['Log in: claude auth login', 'claude auth login'],
  ['Run `claude update` first.', 'claude update'],
  ['Ask somebody: nobody knows, really.', undefined],
  ['Nothing to do.', undefined],
])('%s', (advice, command) => {
  expect(splitAdvice(advice).command).toBe(command)
})
