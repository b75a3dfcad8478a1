import { on, once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ANSWER_SECONDS, type SpawnerClient } from './ask-spawner.ts'
import { createServiceSpawner, serviceSocket } from './service-spawner.ts'
import { createSpawnerClient } from './spawner-client.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'dispatch-spawner-'))
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(home, { recursive: true, force: true })
})

/** The start of a run is asked for twice; nobody answers. `asked` waits until somebody was. */
async function launchInVain(
  spawner: SpawnerClient,
  asked: () => Promise<unknown> = async () => undefined,
): Promise<unknown> {
  const launched = spawner.launch({ runId: 'r1', dir: '/r1' }).catch((error) => error)
  for (let round = 1; round <= 2; round += 1) {
    await asked()
    await vi.advanceTimersByTimeAsync((ANSWER_SECONDS + 1) * 1000)
  }
  return launched
}
const IN_VAIN = { message: 'run r1 could not be started: no answer within 30 s' }

test('a spawner that hangs is ended, and the start fails instead of waiting for ever', async () => {
  const program = join(home, 'silent.mjs')
  writeFileSync(program, 'process.on("message", () => undefined)\n')
  const spawner = createSpawnerClient({ home, entry: { spawner: program, runner: '' } })
  expect(await launchInVain(spawner)).toMatchObject(IN_VAIN)
  await spawner.close()
}, 20_000)

test('the same of a spawner service', async () => {
  const service = createServer().listen(serviceSocket(home))
  await once(service, 'listening')
  const connections = on(service, 'connection')
  const asked = async () => {
    const { value } = await connections.next()
    await once(value[0], 'data')
  }
  expect(await launchInVain(createServiceSpawner(home), asked)).toMatchObject(IN_VAIN)
  service.close()
}, 20_000)

test('a spawner that does not listen any more is replaced at once', async () => {
  const program = join(home, 'deaf-once.mjs')
  const mark = JSON.stringify(join(home, 'deaf'))
  const answer = 'process.on("message", ({ n }) => process.send({ n, result: "claimed" }))'
  const deaf = 'writeFileSync(mark, ""); process.disconnect(); setInterval(() => undefined, 1000)'
  writeFileSync(
    program,
    `import { existsSync, writeFileSync } from 'node:fs'\nconst mark = ${mark}\nif (existsSync(mark)) ${answer}\nelse { ${deaf} }\n`,
  )
  const spawner = createSpawnerClient({ home, entry: { spawner: program, runner: '' } })
  await vi.waitUntil(() => existsSync(join(home, 'deaf')), { timeout: 10_000 })
  expect(await spawner.launch({ runId: 'r1', dir: '/r1' })).toBe('claimed')
  await spawner.close()
}, 20_000)
