import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { RunEvent } from '../contracts/agent.ts'
import { databaseOfFile } from '../test/support/database.ts'
import type { Database } from './connect.ts'
import { storeEvents } from './transcripts.ts'
import { readTranscript } from './views/agents.ts'

let database: Database
databaseOfFile((made) => {
  database = made
})

const text = (seq: number, line: string): RunEvent => ({
  ...{ type: 'text', text: line, seq, at: new Date().toISOString() },
})

async function makeRuns(count: number): Promise<string[]> {
  const { knex } = database
  const [project] = await knex('projects')
    .insert({ name: 'p', path: `/${randomUUID()}`, default_branch: 'main' })
    .returning('id')
  const [goal] = await knex('goals')
    .insert({
      ...{ project_id: project.id, title: 'g', description: 'g', profile: '{}' },
      target_branch: 'main',
    })
    .returning('id')
  const rows = Array.from({ length: count }, (_, n) => ({
    ...{ goal_id: goal.id, stage: 'implement', attempt: 1, segment: n + 1 },
    ...{ purpose: 'start', adapter: 'demo', status: 'running' },
  }))
  return (await knex('agent_runs').insert(rows).returning('id')).map((row) => row.id)
}

const stored = async (runId: string) => {
  const rows = await database.knex('transcripts').where({ run_id: runId }).orderBy('seq')
  return rows.map((row) => `${row.seq} ${row.content.text ?? row.kind}`)
}

test('batches of many runs that come at once are all stored, with what they tell of their run', async () => {
  const runs = await makeRuns(5)
  const usage = { input: 7, output: 3, cacheRead: 0, cacheWrite: 0, reasoning: 0 }
  await Promise.all(
    runs.flatMap((run) => [
      storeEvents(database, run, [
        { type: 'session', sessionId: `s-${run}`, seq: 1, at: new Date().toISOString() },
        text(2, 'one\ntwo'),
      ]),
      storeEvents(database, run, [
        { type: 'usage', usage, costUsd: 0.5, seq: 3, at: new Date().toISOString() },
        text(4, 'NUL \u0000 is shown'),
      ]),
    ]),
  )
  for (const run of runs) {
    expect(await stored(run)).toEqual([
      '1 session',
      '2 one\ntwo',
      '3 usage',
      '4 NUL \ufffd is shown',
    ])
    expect(await database.knex('agent_runs').where({ id: run }).first()).toMatchObject({
      ...{ last_seq: 4, session_id: `s-${run}`, tokens_in: 7, tokens_out: 3, cost_usd: 0.5 },
      last_line: 'NUL  is shown',
    })
  }
})

test('what a worker tells late, after another one went on with the run, sets no tokens and no cost back', async () => {
  const runs = await makeRuns(2)
  const used = (seq: number, input: number, costUsd: number): RunEvent => ({
    ...{ type: 'usage', usage: { input, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 } },
    ...{ costUsd, seq, at: new Date().toISOString() },
  })
  const late = (run: string) => storeEvents(database, run, [used(1, 1000, 0.1)], { tokens: 5 })
  const all = (run: string) =>
    storeEvents(database, run, [used(1, 1000, 0.1), used(2, 90_000, 9)], { tokens: 10 })
  const [apart = '', together = ''] = runs
  await all(apart)
  await late(apart)
  // the last two share a statement: the first one is being written meanwhile
  await Promise.all([late(apart), all(together), late(together)])
  for (const run of runs)
    expect(await database.knex('agent_runs').where({ id: run }).first()).toMatchObject({
      ...{ last_seq: 2, tokens_in: 90_000, cost_usd: 9, tokens_estimated: 10 },
    })
})

test('half of a pair of surrogates, as a cut leaves it, does not lose a batch', async () => {
  const [run = ''] = await makeRuns(1)
  const long = `${'x'.repeat(299)}😀 and more`
  await storeEvents(database, run, [text(1, long), text(2, long.slice(0, 300))])
  expect(await stored(run)).toEqual([`1 ${long}`, `2 ${'x'.repeat(299)}\ufffd`])
  const { last_line } = await database.knex('agent_runs').where({ id: run }).first()
  expect(last_line).toBe(`${'x'.repeat(299)}\ufffd`)
})

test('storing a batch again changes nothing', async () => {
  const [run = ''] = await makeRuns(1)
  await storeEvents(database, run, [text(1, 'a'), text(2, 'b')])
  await storeEvents(database, run, [text(3, 'c')])
  await storeEvents(database, run, [text(1, 'other'), text(2, 'other')])
  expect(await stored(run)).toEqual(['1 a', '2 b', '3 c'])
  expect(await database.knex('agent_runs').where({ id: run }).first()).toMatchObject({
    last_seq: 3,
  })
})

test('a run whose events cannot be stored does not hold up the others', async () => {
  const [run = ''] = await makeRuns(1)
  const unknown = randomUUID()
  const results = await Promise.allSettled([
    storeEvents(database, run, [text(1, 'first')]),
    storeEvents(database, unknown, [text(1, 'nobody')]),
    storeEvents(database, run, [text(2, 'second')]),
  ])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(await stored(run)).toEqual(['1 first', '2 second'])
})

test.each(['after', 'before'] as const)(
  'pages of long entries have about a megabyte, and %s the last of one the next one goes on',
  async (place) => {
    const [run = ''] = await makeRuns(1)
    // what cannot be compressed is counted as it is kept already
    const random = () => Array.from({ length: 5600 }, () => randomUUID()).join('')
    const long = Array.from({ length: 14 }, (_, n) =>
      text(n + 1, n % 2 === 0 ? random() : 'x'.repeat(200_000)),
    )
    const short = Array.from({ length: 4 }, (_, n) => text(15 + n, 'short'))
    await storeEvents(database, run, [...long, ...short])
    const pages: number[][] = []
    for (let edge: string | null = place === 'after' ? '0' : '1000'; edge !== null; ) {
      const query = place === 'after' ? { after: Number(edge) } : { after: 0, before: Number(edge) }
      const { items, next } = await readTranscript(database.knex, run, { ...query, limit: 1000 })
      expect(JSON.stringify(items).length).toBeLessThan(1_500_000)
      pages.push(items.map(({ seq }) => seq))
      edge = next
    }
    const inOrder = place === 'after' ? pages : pages.toReversed()
    expect(inOrder.flat()).toEqual(Array.from({ length: 18 }, (_, n) => n + 1))
    expect(pages).toHaveLength(3)
  },
)
