import { afterEach, expect, test, vi } from 'vitest'
import { away, startTestApi } from './support/test-api.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

test.runIf(process.platform === 'linux')('it answers under the address it listens on', async () => {
  const { api, close } = await startTestApi({ host: '127.0.0.2' })
  undo.push(close)
  expect((await fetch(`http://127.0.0.2:${api.port}/api/goals`)).status).toBe(200)
})

test('in Temporal a goal has a link to its page', async () => {
  const start = vi.fn()
  const client = { withDeadline: (_: number, work: () => unknown) => work(), workflow: { start } }
  const temporal = { ...away, client: async () => client as never }
  const { api, call, close, repository } = await startTestApi({ temporal })
  undo.push(close)
  await call('POST', '/api/projects', { path: repository })
  const { body } = await call('POST', '/api/goals', { project: 'shop', description: 'Do it' })
  await vi.waitFor(() => expect(start).toHaveBeenCalled(), { timeout: 10_000 })
  const url = `http://127.0.0.1:${api.port}/goals/${body.id}`
  expect(start.mock.lastCall?.[1]).toMatchObject({ staticDetails: `[Do it](${url})` })
})
