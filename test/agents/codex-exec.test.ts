import { chmodSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ModelServer, startModelServer } from '../model-server/model-server.ts'
import { type More, of, sessionOf, setCodexStage, statesOf, usageOf } from './codex-stage.ts'
import { installCodex } from './install-codex.ts'
import type { Stage } from './play.ts'
import { isWholeMatrix } from './whole-matrix.ts'

let model: ModelServer
let codex: string
beforeAll(async () => {
  codex = await installCodex()
  model = await startModelServer()
}, 600_000)
const stages: Stage[] = []
afterAll(async () => {
  for (const each of stages) each.remove()
  await model?.close()
})

function stage(scenario: string, more: More = {}): Stage {
  const made = setCodexStage(model, scenario, { binary: codex, ...more })
  stages.push(made)
  return made
}

describe.runIf(isWholeMatrix).concurrent('An older Codex, by codex exec', () => {
  /** The real one without its app-server. */
  function oldCodex(at: Stage): string {
    const program = join(at.cwd, '..', 'old-codex')
    writeFileSync(
      program,
      `#!/bin/sh\ncase "$*" in *app-server) exit 2;; esac\nexec ${codex} "$@"\n`,
    )
    chmodSync(program, 0o755)
    return program
  }
  function oldStage(scenario: string, more: More = {}) {
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
    const charged = { ...model.charged(at.spec.runId) }
    expect(usageOf(first)).toMatchObject(charged)
    const second = await at.resume({ ...at.spec, resumeSessionId: sessionOf(first) })
    expect(second.terminal.type).toBe('done')
    expect(usageOf(second)?.input).toBe(model.charged(at.spec.runId).input - charged.input)
  })

  test('is refused to write where it may only read', async () => {
    const at = oldStage('read-only', { access: 'read' })
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
