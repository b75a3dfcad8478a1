import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { RequestPermissionRequest } from '@agentclientprotocol/sdk'
import { expect, test } from 'vitest'
import type { RunSpec } from '../../contracts/agent.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { answerFor } from './permission.ts'

const OPTIONS = [
  { optionId: 'always', name: 'Always', kind: 'allow_always' },
  { optionId: 'yes', name: 'Allow', kind: 'allow_once' },
  { optionId: 'no', name: 'Reject', kind: 'reject_once' },
] as const

test('a run that may write is let change the files of its folder, and no others', ({
  onTestFinished,
}) => {
  const folder = temporaryFolder('dispatch-permission-')
  onTestFinished(folder.remove)
  const [cwd, TMPDIR] = [join(folder.path, 'work'), join(folder.path, 'tmp')]
  for (const made of [cwd, TMPDIR]) mkdirSync(made)
  symlinkSync(folder.path, join(cwd, 'out'))
  const spec = { access: 'write', cwd, env: { TMPDIR } } as unknown as RunSpec
  const asked = (toolCall: object) => {
    const request = { sessionId: 's', options: OPTIONS, toolCall: { toolCallId: 't', ...toolCall } }
    const { outcome } = answerFor(request as unknown as RequestPermissionRequest, spec)
    return outcome.outcome === 'selected' ? outcome.optionId : outcome.outcome
  }
  const edit = (path: string) => asked({ kind: 'edit', locations: [{ path }] })
  expect(edit(join(cwd, 'src/new.ts'))).toBe('yes')
  expect(edit(join(TMPDIR, 'draft.md'))).toBe('yes')
  expect(edit('src/relative.ts')).toBe('yes')
  for (const path of [join(folder.path, 'theirs.ts'), '../theirs.ts', '~/.bashrc', 'out/theirs.ts'])
    expect(edit(path), path).toBe('no')
  const diff = { type: 'diff', path: '/etc/hosts', oldText: null, newText: 'x' }
  expect(asked({ kind: 'other', content: [diff] })).toBe('no')
  expect(asked({ kind: 'read', locations: [{ path: '/usr/include/stdio.h' }] })).toBe('yes')
  expect(asked({ kind: 'execute', rawInput: { command: 'npm test' } })).toBe('yes')
})
