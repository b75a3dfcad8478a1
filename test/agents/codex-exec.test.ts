import { chmodSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { castOf } from './cast-of.ts'
import { CODEX } from './drivers.ts'
import type { Stage } from './play.ts'
import { of, sessionOf, statesOf, usageOf } from './play.ts'
import { isWholeMatrix } from './whole-matrix.ts'

const cast = castOf(CODEX)
const { stage } = cast

describe.runIf(isWholeMatrix).concurrent('An older Codex, by codex exec', () => {
  /** The real one without its app-server. */
  function oldCodex(at: Stage): string {
    const program = join(at.cwd, '..', 'old-codex')
    writeFileSync(
      program,
      `#!/bin/sh\ncase "$*" in *app-server) exit 2;; esac\nexec ${cast.binary} "$@"\n`,
    )
    chmodSync(program, 0o755)
    return program
  }
  function oldStage(scenario: string, more: Parameters<typeof stage>[1] = {}) {
    const at = stage(scenario, more)
    const { env } = at.spec
    at.spec.binary = oldCodex(at)
    // codex exec looks for its home here, and it is nobody else's
    at.spec.env = { ...env, CODEX_HOME: join(env['HOME'] ?? '', '.codex') }
    return at
  }

  test('writes a file, answers, and is resumed without being counted twice', async () => {
    const at = oldStage('write-file')
    const first = await at.play()
    expect(first.terminal).toMatchObject({ type: 'done', output: { answer: 42 } })
    expect(of(first, 'file')).toEqual([{ type: 'file', path: 'hello.txt', change: 'create' }])
    const charged = { ...cast.model.charged(at.spec.runId) }
    expect(usageOf(first)).toMatchObject(charged)
    const second = await at.resume({ ...at.spec, resumeSessionId: sessionOf(first) })
    expect(second.terminal.type).toBe('done')
    expect(usageOf(second)?.input).toBe(cast.model.charged(at.spec.runId).input - charged.input)
  })

  test('is refused to write where it may only read', async () => {
    const at = oldStage('read-only', { access: 'read' })
    expect((await at.play()).terminal.type).toBe('done')
    expect(readdirSync(at.cwd)).toEqual([])
  })

  test("has none of the person's MCP servers", async () => {
    const server = (name: string) =>
      `[mcp_servers.${name}]\ncommand = "touch"\nargs = ["started-${name.length}"]\n`
    // more than JavaScript counts to, which some readers refuse
    const others = '[tui]\nmost = 9223372036854775807\n'
    const config = ['mine', '"with.dot"'].map(server).join('') + others
    const at = oldStage('run-command', { config })
    expect((await at.play()).terminal.type).toBe('done')
    expect(readdirSync(at.cwd)).toEqual([])
  })

  test.each([
    ['401', 'auth'],
    ['too-long', 'context'],
    ['no-credit', 'quota'],
  ])('%s fails as %s', async (scenario, reason) => {
    const { terminal } = await oldStage(scenario).play()
    expect(terminal).toMatchObject({ type: 'failed', reason })
  })

  test('a run that fails or is interrupted tells what its requests took', async () => {
    const [failing, stopped] = [oldStage('write-file'), oldStage('slow-tool')]
    cast.model.script(failing.spec.runId, [
      { do: 'call', tool: 'Write', input: { file_path: 'hello.txt', content: 'hello\n' } },
      { do: 'fail', status: 400, type: 'invalid_request_error', message: 'no more' },
    ])
    const failed = await failing.play()
    expect(failed.terminal.type).toBe('failed')
    expect(usageOf(failed)).toMatchObject(cast.model.charged(failing.spec.runId))
    const interrupted = await stopped.play(({ type }, session) => {
      if (type === 'tool') session.interrupt()
    })
    expect(interrupted.terminal).toMatchObject({ reason: 'interrupted' })
    expect(usageOf(interrupted)).toMatchObject(cast.model.charged(stopped.spec.runId))
  })

  test('is interrupted, and takes no correction while it works', async () => {
    const at = oldStage('slow-tool')
    const played = await at.play(({ type }, session) => {
      if (type === 'tool') session.correct({ id: 'c-1', text: 'Use tabs.' })
      if (type === 'correction') session.interrupt()
    })
    expect(played.terminal).toMatchObject({ type: 'failed', reason: 'interrupted' })
    expect(statesOf(played)).toEqual(['queued'])
    expect(at.processes()).toEqual([])
  })
})
