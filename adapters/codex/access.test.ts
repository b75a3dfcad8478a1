import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { AgentEvent, RunSpec } from '../../contracts/agent.ts'
import { fenceOfThread, fenceOfTurn, serverFlags } from './access.ts'
import { openExecSession } from './exec-session.ts'

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
  const { env, write } = codexFolder()
  expect(serverFlags(env)).toEqual({ flags: [] })
  const servers = ['mine', '"a.b"'].map((name) => `[mcp_servers.${name}]\ncommand = "x"\n`)
  write(servers.join(''))
  const flags = [
    ...['-c', 'mcp_servers={"a.b"={enabled=false}}'],
    ...['-c', 'mcp_servers.mine.enabled=false'],
  ]
  expect(serverFlags(env)).toEqual({ flags })
  write(`most = ${2n ** 63n - 1n}\n${servers.join('')}`)
  expect(serverFlags(env)).toEqual({ flags })
})

test('codex exec is not started where nobody can tell which MCP servers the person has, and the person is told of the file', async () => {
  const { env, file, write } = codexFolder()
  write('[mcp_servers.mine]\ncommand = "x"\nthis is no TOML\n')
  const io = { signal: new AbortController().signal }
  const events: AgentEvent[] = []
  const session = openExecSession({ ...spec, env } as RunSpec, io, '/bin/false')
  for await (const event of session.events) events.push(event)
  expect(events).toEqual([
    {
      type: 'failed',
      reason: 'missing',
      detail: expect.stringContaining(`${file} cannot be read`),
    },
  ])
})

function codexFolder() {
  const home = mkdtempSync(join(tmpdir(), 'codex-'))
  onTestFinished(() => rmSync(home, { recursive: true }))
  const file = join(home, 'config.toml')
  return { env: { CODEX_HOME: home }, file, write: (text: string) => writeFileSync(file, text) }
}
