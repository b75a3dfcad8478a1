import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { expect, inject, test } from 'vitest'
import { connectTemporal } from '../../temporal/connection.ts'
import { SEARCH_ATTRIBUTE_TYPES } from '../../temporal/search-attributes.ts'
import { until } from '../../test/support/until.ts'
import { prepareElsewhere } from './temporal-elsewhere.ts'

const DAY_SECONDS = 86_400

async function prepare(namespace: string, taskQueue = 'q'): Promise<string[]> {
  const lines: string[] = []
  const at = {
    address: inject('temporalAddress'),
    namespace,
    taskQueue,
    tls: false,
    apiKey: undefined,
  }
  const rest = { uiUrl: undefined, devPort: 0 }
  const { signal } = new AbortController()
  await prepareElsewhere({ ...at, ...rest }, { say: (line) => lines.push(line), signal })
  return lines
}

test("a namespace of the person's own Temporal gets the search attributes once, and nothing else of it changes", async () => {
  const namespace = `theirs-${Math.random().toString(36).slice(2)}`
  const connection = await connectTemporal({ address: inject('temporalAddress') })
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 3 * DAY_SECONDS } as never,
  })
  expect(await prepare(namespace)).toEqual([
    expect.stringMatching(/^registered the search attributes of Dispatch in the namespace theirs-/),
  ])
  expect(await prepare(namespace)).toEqual([])
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
  expect(Object.keys(customAttributes)).toEqual(
    expect.arrayContaining(Object.keys(SEARCH_ATTRIBUTE_TYPES)),
  )
  const { config } = await connection.workflowService.describeNamespace({ namespace })
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(3 * DAY_SECONDS)
  await connection.close()
})

test('another worker on the same queue is told, and one of this machine that has ended is not', async () => {
  const connection = await connectTemporal({ address: inject('temporalAddress') })
  const taskQueue = `q-${randomUUID()}`
  const asked = { namespace: 'default', taskQueue: { name: taskQueue } }
  const ask = connection.workflowService
  /** Until Temporal tells of it. There is nothing to take. */
  const take = async (identity: string) => {
    void connection
      .withDeadline(Date.now() + 60_000, () => ask.pollWorkflowTaskQueue({ ...asked, identity }))
      .catch(() => undefined)
    const told = async () =>
      (await ask.describeTaskQueue({ ...asked, taskQueueType: 1 })).pollers?.some(
        (one) => one.identity === identity,
      )
    await until(told, { ms: 10_000, what: identity })
  }
  await take(`${2 ** 31 - 1}@${hostname()}`)
  expect(await prepare('default', taskQueue)).toEqual([])
  await take('7@another-machine')
  expect(await prepare('default', taskQueue)).toEqual([
    expect.stringMatching(/^another worker \(7@another-machine\) takes .*TEMPORAL_TASK_QUEUE/),
  ])
  await connection.close()
})

test('where they cannot be registered it is said what to do', async () => {
  const [said] = await prepare('nobody-made-this-one')
  expect(said).toMatch(/nobody-made-this-one .*is not found.*No goal starts .*GoalStatus.*Keyword/)
})
