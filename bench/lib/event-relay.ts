import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { WebSocketServer } from 'ws'
import type { RunEvent } from '../../contracts/agent.ts'
import { connect } from '../../db/connect.ts'
import { storeEvents } from '../../db/transcripts.ts'

/**
 * Agents that speak 50 times a second, and what takes their lines on: into Postgres as the worker does (the API shows them from
 * there), or straight to a WebSocket of its own, which is the floor. Told over IPC; `fork` it.
 */
export type RelayRequest =
  | { type: 'open'; databaseUrl: string; runIds: string[] }
  | { type: 'mode'; mode: 'stored' | 'direct' | 'idle' }
  | { type: 'end' }
export type RelayReply = { type: 'open'; port: number } | { type: 'mode'; sent: number }

/** Prints the time of the machine's monotonic clock, and text of the length that agents stream. */
const AGENT = `
const pad = 'x'.repeat(120)
setTimeout(() => setInterval(() => process.stdout.write(process.hrtime.bigint() + ' ' + pad + '\\n'), 20), Math.random() * 20)
process.stdin.on('end', () => process.exit()).resume()`

let mode: 'stored' | 'direct' | 'idle' = 'idle'
let sent = 0
const agents: ChildProcess[] = []
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })

function open(databaseUrl: string, runIds: readonly string[]): void {
  const database = connect(databaseUrl, { max: 20 })
  for (const runId of runIds) {
    const store = batches((batch: RunEvent[]) => storeEvents(database, runId, batch))
    let seq = 0
    const agent = spawn(process.execPath, ['-e', AGENT], { stdio: ['pipe', 'pipe', 'inherit'] })
    agents.push(agent)
    createInterface({ input: agent.stdout }).on('line', (text) => {
      if (mode === 'idle') return
      sent += 1
      if (mode === 'stored') {
        seq += 1
        return store({ type: 'text', text, seq, at: new Date().toISOString() })
      }
      const message = JSON.stringify({ stream: runId, items: [{ content: { text } }] })
      for (const client of server.clients) client.send(message)
    })
  }
}

/** Stores whatever came while the last batch was being stored: no timer. */
function batches<T>(work: (batch: T[]) => Promise<void>): (item: T) => void {
  let queue: T[] = []
  let busy = false
  const drain = async () => {
    busy = true
    while (queue.length > 0) {
      const batch = queue
      queue = []
      await work(batch)
    }
    busy = false
  }
  return (item) => {
    queue.push(item)
    if (!busy) void drain()
  }
}

const reply = (message: RelayReply) => process.send?.(message)

process.on('message', (request: RelayRequest) => {
  switch (request.type) {
    case 'open':
      open(request.databaseUrl, request.runIds)
      reply({ type: 'open', port: (server.address() as { port: number }).port })
      return
    case 'mode':
      mode = request.mode
      reply({ type: 'mode', sent })
      sent = 0
      return
    case 'end':
      for (const agent of agents) agent.kill()
      process.exit(0)
  }
})
process.once('disconnect', () => process.exit(0))
