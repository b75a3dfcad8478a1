import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import WebSocket from 'ws'
import type { BenchStack } from './lib/bench-stack.ts'
import { buildProgram } from './lib/build-program.ts'
import { benchEnv } from './lib/env.ts'
import type { RelayReply, RelayRequest } from './lib/event-relay.ts'
import { type LiveClient, openLive } from './lib/live-client.ts'
import type { Bench, Row } from './lib/row.ts'
import { median, quantile } from './lib/stats.ts'
import { startStubStack } from './lib/stub-stack.ts'

/** How long after an agent wrote a line a client sees it. Agents, relay, API and client are processes of their own. */
export const eventLatency: Bench = {
  name: 'events',
  async run({ quick }) {
    const stack = await startStubStack()
    try {
      const rows: Row[] = []
      for (const agents of quick ? [10] : [10, 40])
        rows.push(...(await measure(stack, { agents, rounds: quick ? 5 : 9 })))
      return rows
    } finally {
      await stack.close()
    }
  },
}

const ROUND_MS = 1_500

async function measure(
  stack: BenchStack & { projectId: string },
  { agents, rounds }: { agents: number; rounds: number },
): Promise<Row[]> {
  const runIds = await insertRuns(stack, agents)
  const relay = fork(await buildProgram('event-relay'), { env: benchEnv(), execArgv: [] })
  const { port } = await ask<'open'>(relay, {
    ...{ type: 'open', databaseUrl: stack.stack.databaseUrl, runIds },
  })
  const live = await openLive(stack.stack.url)
  const direct = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false })
  await once(direct, 'open')
  const seen = { stored: [] as number[], direct: [] as number[] }
  direct.on('message', (data) => {
    for (const item of JSON.parse(String(data)).items) seen.direct.push(age(item.content.text))
  })
  await follow(live, runIds, seen.stored)
  const perRound: { stored: number[]; direct: number[] }[] = []
  for (let round = 0; round <= rounds; round += 1) {
    for (const mode of ['stored', 'direct'] as const) await oneRound(relay, mode, seen[mode])
    if (round > 0) perRound.push({ stored: [...seen.stored], direct: [...seen.direct] })
    seen.stored.length = 0
    seen.direct.length = 0
  }
  live.close()
  direct.close()
  relay.send({ type: 'end' } satisfies RelayRequest)
  await once(relay, 'exit')
  return rowsOf(perRound, agents)
}

/** Lets the agents speak for a while, and checks that every line arrived. */
async function oneRound(
  relay: ChildProcess,
  mode: 'stored' | 'direct',
  samples: number[],
): Promise<void> {
  await ask<'mode'>(relay, { type: 'mode', mode })
  await delay(ROUND_MS)
  const { sent } = await ask<'mode'>(relay, { type: 'mode', mode: 'idle' })
  const deadline = Date.now() + 5_000
  while (samples.length < sent && Date.now() < deadline) await delay(5)
  if (samples.length !== sent)
    throw new Error(`${sent} events were sent (${mode}), ${samples.length} arrived`)
}

async function follow(live: LiveClient, runIds: readonly string[], samples: number[]) {
  const last = new Map<string, number>()
  for (const runId of runIds)
    await live.subscribe(`run/${runId}`, 0, (item) => {
      const before = last.get(runId) ?? 0
      if (item.seq !== before + 1) throw new Error(`a gap: ${item.seq} follows ${before}`)
      last.set(runId, item.seq)
      samples.push(age((item['content'] as { text: string }).text))
    })
}

function rowsOf(rounds: readonly { stored: number[]; direct: number[] }[], agents: number): Row[] {
  const stored = rounds.flatMap((round) => round.stored)
  const direct = rounds.flatMap((round) => round.direct)
  const what = `agent writes to client sees, ${agents} agents, ${agents * 50} events/s`
  const floor = 'pipe to WebSocket, nothing stored'
  const ratioOf = (q: number) =>
    median(rounds.map((round) => quantile(round.stored, q) / quantile(round.direct, q)))
  const [p50, p99] = [quantile(stored, 0.5), quantile(stored, 0.99)]
  return [
    {
      ...{ id: `events.${agents}.p50`, what: `${what}: p50`, unit: 'ms', value: p50 },
      ...{ floor: { what: floor, value: quantile(direct, 0.5) }, ratio: ratioOf(0.5) },
      ...{ aim: '<= 4x', met: ratioOf(0.5) <= 4, note: `${stored.length} events, none lost` },
    },
    {
      ...{ id: `events.${agents}.p99`, what: `${what}: p99`, unit: 'ms', value: p99 },
      ...{ floor: { what: floor, value: quantile(direct, 0.99) }, ratio: ratioOf(0.99) },
      ...{ aim: '<= 5 ms', met: p99 <= 5 },
    },
  ]
}

/** Milliseconds since the line was written: the monotonic clock is the machine's. */
const age = (text: string) =>
  Number(process.hrtime.bigint() - BigInt(text.slice(0, text.indexOf(' ')))) / 1e6

async function ask<T extends RelayReply['type']>(
  relay: ChildProcess,
  request: RelayRequest,
): Promise<Extract<RelayReply, { type: T }>> {
  const answered = once(relay, 'message')
  relay.send(request)
  const [reply] = await answered
  return reply as Extract<RelayReply, { type: T }>
}

/** Runs of a goal that no workflow knows. */
async function insertRuns(
  stack: BenchStack & { projectId: string },
  count: number,
): Promise<string[]> {
  const { knex } = stack.database
  const [goal] = await knex('goals')
    .insert({
      ...{ project_id: stack.projectId, title: 'events', description: 'events' },
      ...{ profile: '{}', target_branch: 'main', status: 'completed' },
    })
    .returning('id')
  const rows = Array.from({ length: count }, (_, n) => ({
    ...{ goal_id: goal.id, stage: 'implement', attempt: 1, segment: n + 1 },
    ...{ purpose: 'start', adapter: 'demo', status: 'running' },
  }))
  const inserted = await knex('agent_runs').insert(rows).returning('id')
  return inserted.map((row) => row.id)
}
