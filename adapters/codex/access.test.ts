import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { RunSpec } from '../../contracts/agent.ts'
import { fenceOfThread, fenceOfTurn, serverFlags } from './access.ts'

const spec = { access: 'read', cwd: '/work', env: { HOME: '/home/person' } } as unknown as RunSpec
const readOnly = { sandboxPolicy: { type: 'readOnly', networkAccess: false } }

test('a thread that got the profile of a company in place of ours is fenced in turn by turn', () => {
  expect(fenceOfThread(spec, true).fence).toEqual({ permissions: 'dispatch-run' })
  expect(fenceOfTurn(spec, 'dispatch-run')).toEqual({})
  expect(fenceOfTurn(spec, ':workspace')).toEqual(readOnly)
})

test('an older version is told its sandbox, and one in a sandbox of ours that there is one', () => {
  expect(fenceOfThread(spec, false)).toEqual({ fence: { sandbox: 'read-only' }, config: {} })
  expect(fenceOfTurn(spec, undefined)).toEqual(readOnly)
  const sandbox = { network: 'agent' as const, readOnly: [], writable: [], kept: [] }
  expect(fenceOfThread({ ...spec, sandbox }, true).fence).toEqual({ sandbox: 'danger-full-access' })
  const external = { type: 'externalSandbox', networkAccess: 'enabled' }
  expect(fenceOfTurn({ ...spec, sandbox }, undefined)).toEqual({ sandboxPolicy: external })
})

test('codex exec is told each MCP server by a path, and only a name that no path can hold by a table', () => {
  const home = mkdtempSync(join(tmpdir(), 'codex-'))
  onTestFinished(() => rmSync(home, { recursive: true }))
  expect(serverFlags({ CODEX_HOME: home })).toEqual([])
  const servers = ['mine', '"a.b"'].map((name) => `[mcp_servers.${name}]\ncommand = "x"\n`)
  writeFileSync(join(home, 'config.toml'), servers.join(''))
  expect(serverFlags({ CODEX_HOME: home })).toEqual([
    ...['-c', 'mcp_servers={"a.b"={enabled=false}}'],
    ...['-c', 'mcp_servers.mine.enabled=false'],
  ])
})
