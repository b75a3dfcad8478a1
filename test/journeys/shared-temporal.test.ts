import { once } from 'node:events'
import { Client, Connection } from '@temporalio/client'
import { expect, inject, test } from 'vitest'
import { goalWorkflowId } from '../../contracts/ids.ts'
import { startInstallation } from '../support/installation.ts'

test('a goal whose worker is away is not taken by that of another installation in the same namespace of Temporal', async () => {
  const [own, other] = await Promise.all([startInstallation(), startInstallation()])
  own.worker.kill('SIGKILL')
  await once(own.worker, 'exit')
  const waiting = await own.goal((await own.project()).id, 'Write slugify')
  const working = await other.goal((await other.project()).id, 'Write slugify')
  expect((await other.approveAll(working.id)).status).toBe('completed')
  const connection = await Connection.connect({ address: inject('temporalAddress') })
  const workflow = new Client({ connection }).workflow.getHandle(goalWorkflowId(waiting.id))
  const { raw, historyLength } = await workflow.describe()
  expect([historyLength, raw.pendingWorkflowTask?.attempt]).toEqual([2, 1])
  await connection.close()
  await own.restartWorker()
  expect((await own.approveAll(waiting.id)).status).toBe('completed')
  await Promise.all([own.close(), other.close()])
})
