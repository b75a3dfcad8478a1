import { EventEmitter, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Client } from '@temporalio/client'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { connectTemporal } from '../../temporal/connection.ts'
import type { onSignal, roundTrips } from './floor-workflow.ts'
import { timed } from './stats.ts'

/** Bare Temporal on the same server as the subject: its time is the floor. */
export interface FloorWorker {
  /** Milliseconds of a whole workflow with so many empty activities. */
  roundTrips(count: number): Promise<number>
  /** Milliseconds from a signal to the empty activity that it causes. */
  signal(): Promise<number>
  close(): Promise<void>
}

const QUEUE = 'bench-floor'
let installed = false

export async function startFloorWorker(address: string): Promise<FloorWorker> {
  if (!installed)
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      shutdownSignals: [],
      telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } },
    })
  installed = true
  const connection = await NativeConnection.connect({ address })
  const calls = new EventEmitter()
  const worker = await Worker.create({
    connection,
    taskQueue: QUEUE,
    workflowsPath: fileURLToPath(new URL('./floor-workflow.ts', import.meta.url)),
    activities: {
      nothing: async () => {
        calls.emit('nothing')
      },
    },
    shutdownGraceTime: '100ms',
  })
  const running = worker.run()
  const clientConnection = await connectTemporal({ address })
  const client = new Client({ connection: clientConnection })
  const id = `bench-floor-${process.pid}-${Date.now()}`
  const waiting = await client.workflow.start<typeof onSignal>('onSignal', {
    ...{ taskQueue: QUEUE, workflowId: `${id}-signal`, args: [] },
  })
  let started = 0
  return {
    roundTrips(count) {
      started += 1
      return timed(() =>
        client.workflow.execute<typeof roundTrips>('roundTrips', {
          ...{ taskQueue: QUEUE, workflowId: `${id}-${started}`, args: [count] },
        }),
      )
    },
    signal() {
      return timed(async () => {
        const called = once(calls, 'nothing')
        await waiting.signal('go')
        await called
      })
    },
    async close() {
      await waiting.signal('stop')
      await waiting.result()
      worker.shutdown()
      await running
      await Promise.all([connection.close(), clientConnection.close()])
    },
  }
}
