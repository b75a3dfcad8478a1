import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ModelServer, startModelServer } from '../model-server/model-server.ts'
import { type More, of, setCodexStage } from './codex-stage.ts'
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

/** What the provider does, and what Dispatch hears of it. */
const FAILURES: readonly [scenario: string, what: string, reason: string][] = [
  ['401', 'the key is refused', 'auth'],
  ['403', 'the key may not do this', 'auth'],
  ['404', 'there is no such model', 'model'],
  ['400', 'the request is refused', 'refused'],
  ['429-always', 'too many requests, for longer than it tries', 'rate_limit'],
  ['429-long', 'too many requests, come back in an hour', 'rate_limit'],
  ['no-credit', 'the credit is used up', 'quota'],
  ['500', 'the provider fails', 'overloaded'],
  ['529', 'the provider is overloaded', 'overloaded'],
  ['drop', 'the answer is cut off', 'network'],
  ['garbage', 'the answer is none', 'network'],
  ['too-long', 'the conversation does not fit', 'context'],
  ['hang', 'the provider takes the request and says nothing', 'hung'],
  ['stall', 'the provider stops in the middle', 'hung'],
]

describe.runIf(isWholeMatrix).concurrent('Codex when', () => {
  test.each(FAILURES)('%s: %s, fails as %s', async (scenario, _what, reason) => {
    const at = stage(scenario, { silenceSeconds: 6 })
    const played = await at.play()
    expect(played.terminal).toMatchObject({ type: 'failed', reason })
    expect(played.terminal).toHaveProperty('detail', expect.stringMatching(/\w{4}/))
    expect(model.requests(at.spec.runId).length).toBeLessThan(10)
    expect(at.processes()).toEqual([])
  })

  test('429 passes by itself, tells of its retry and goes on', async () => {
    const played = await stage('429').play()
    expect(of(played, 'retry')).toMatchObject([{ attempt: 1, reason: 'rate_limit' }])
    expect(played.terminal.type).toBe('done')
  })

  test('500-once passes by itself', async () => {
    expect((await stage('500-once').play()).terminal.type).toBe('done')
  })

  test("a plan's limit is reached: quota, with the time at which it is over", async () => {
    const at = stage('429-always')
    const end = Math.floor(Date.now() / 1000) + 3600
    const headers = {
      'x-codex-primary-used-percent': '100',
      'x-codex-primary-window-minutes': '300',
      'x-codex-primary-reset-at': String(end),
      'x-codex-secondary-used-percent': '40',
      'x-codex-secondary-window-minutes': '10080',
      'x-codex-secondary-reset-at': String(end + 90_000),
    }
    const message = 'The usage limit has been reached'
    const step = { do: 'fail', status: 429, type: 'usage_limit_reached', message, headers } as const
    model.script(at.spec.runId, [step])
    const { terminal } = await at.play()
    const until = new Date(end * 1000).toISOString()
    expect(terminal).toMatchObject({ type: 'failed', reason: 'quota', until })
  })

  test('nobody answers at the address: network', async () => {
    const at = stage('answer')
    const file = join(at.spec.env['HOME'] ?? '', '.codex/config.toml')
    writeFileSync(file, 'openai_base_url = "http://127.0.0.1:9/v1"\nmodel = "gpt-5.5"\n')
    expect((await at.play()).terminal).toMatchObject({ type: 'failed', reason: 'network' })
  })
})
