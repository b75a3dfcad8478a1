import { expect, test } from 'vitest'
import { agentEnvironment } from './environment.ts'

test('an agent gets the list, its own login and nothing else', () => {
  const base = {
    PATH: '/usr/bin',
    HOME: '/home/someone',
    LANG: 'C.UTF-8',
    ANTHROPIC_API_KEY: 'key',
    OPENAI_API_KEY: 'another',
    DATABASE_URL: 'postgres://x',
    SSH_AUTH_SOCK: '/tmp/agent',
    GIT_DIR: '/elsewhere',
    NODE_OPTIONS: '--require evil',
    LD_PRELOAD: 'evil.so',
    DISPATCH_HOME: '/home/someone/.dispatch',
    EDITOR: 'vi',
  }
  expect(
    agentEnvironment({
      base,
      tmpdir: '/run/tmp',
      loginVariables: ['ANTHROPIC_API_KEY', 'DATABASE_URL'],
      extra: { CLAUDE_CONFIG_DIR: '/c', GIT_CONFIG_GLOBAL: '/evil', LD_LIBRARY_PATH: '/evil' },
    }),
  ).toEqual({
    PATH: '/usr/bin',
    HOME: '/home/someone',
    LANG: 'C.UTF-8',
    ANTHROPIC_API_KEY: 'key',
    CLAUDE_CONFIG_DIR: '/c',
    TMPDIR: '/run/tmp',
  })
})
