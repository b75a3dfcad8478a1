import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Database } from '../db/connect.ts'

export type Metrics = ReturnType<typeof createMetrics>

/** What `/metrics` shows, in a registry of its own: several apps may live in one process. */
export function createMetrics({ knex }: Pick<Database, 'knex'>) {
  const registry = new Registry()
  const registers = [registry]
  /** A gauge of rows, counted when somebody asks. */
  const rows = (name: string, help: string, from: { table: string; where: object }) =>
    new Gauge({
      ...{ name, help, registers },
      async collect() {
        const counted = await knex(from.table).where(from.where).count({ n: '*' })
        this.set(Number(counted[0]?.['n'] ?? 0))
      },
    })
  return {
    registry,
    requests: new Histogram({
      name: 'dispatch_http_request_seconds',
      help: 'Time to answer, by route of the table',
      labelNames: ['route', 'status'],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
      registers,
    }),
    sockets: new Gauge({ name: 'dispatch_ws_clients', help: 'Open live connections', registers }),
    socketItems: new Counter({
      name: 'dispatch_ws_items_total',
      help: 'Items sent on live connections',
      registers,
    }),
    slowClients: new Counter({
      name: 'dispatch_ws_slow_clients_total',
      help: 'Live connections closed because they did not keep up',
      registers,
    }),
    outboxPending: rows('dispatch_outbox_pending', 'Messages that Temporal has not acknowledged', {
      table: 'outbox',
      where: { done_at: null },
    }),
    outboxDelivered: new Counter({
      name: 'dispatch_outbox_delivered_total',
      help: 'Messages that Temporal acknowledged',
      registers,
    }),
    poolHeld: rows('dispatch_pool_held', 'Runs that hold a place', {
      table: 'run_leases',
      where: { state: 'held' },
    }),
    poolWaiting: rows('dispatch_pool_waiting', 'Runs in line', {
      table: 'run_leases',
      where: { state: 'waiting' },
    }),
  }
}
