import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AgentEvent, RunSpec } from '../../contracts/agent.ts'
import { type ModelServer, startModelServer } from '../model-server/model-server.ts'
import { setCodexStage } from './codex-stage.ts'
import { installCodex } from './install-codex.ts'
import type { Played, Stage } from './play.ts'

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
function stage(scenario: string, more: Partial<RunSpec> & { config?: string } = {}): Stage {
  const made = setCodexStage(model, scenario, { binary: codex, ...more })
  stages.push(made)
  return made
}
const of = <T extends AgentEvent['type']>({ events }: Played, type: T) =>
  events.filter((event): event is AgentEvent & { type: T } => event.type === type)
const lastUsage = (played: Played) => of(played, 'usage').at(-1)

describe.concurrent('Codex at work', () => {
  test('writes a file and answers in the asked shape, counted to the token', async () => {
    const at = stage('write-file')
    const played = await at.play((e) => console.log(JSON.stringify(e).slice(0, 200)))
    expect(played.terminal).toMatchObject({ type: 'done', output: { answer: 42 } })
    expect(readFileSync(join(at.cwd, 'hello.txt'), 'utf8')).toBe('hello\n')
    expect(of(played, 'file')).toEqual([{ type: 'file', path: 'hello.txt', change: 'create' }])
    expect(lastUsage(played)).toMatchObject({ usage: model.charged(at.spec.runId) })
  })
})
