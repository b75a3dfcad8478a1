import type { Knex } from 'knex'
import { type Refusal, refuse } from './refusal.ts'

const KEY = 'machine.sandbox'

/** Where the workers of this database look for work, and where it is put. It was drawn with the schema, and is no other's. */
export async function taskQueueOf(knex: Knex): Promise<string> {
  const row: { value: string } = await knex('settings')
    .where({ key: 'machine.task_queue' })
    .first('value')
  return row.value
}

/** What the worker found when it last looked: why its machine makes no sandboxes, or null when it does. */
export async function storeSandboxProblem(knex: Knex, problem: string | undefined): Promise<void> {
  const row = { value: JSON.stringify({ problem: problem ?? null }), updated_by: 'dispatch' }
  await knex('settings')
    .insert({ key: KEY, ...row })
    .onConflict('key')
    .merge({ ...row, updated_at: knex.fn.now() })
}

/** Undefined when it makes them, or when no worker has looked yet: then the run says it. */
export async function sandboxProblem(knex: Knex): Promise<string | undefined> {
  const row: { value: { problem: string | null } } | undefined = await knex('settings')
    .where({ key: KEY })
    .first('value')
  return row?.value.problem ?? undefined
}

/** A sandbox that cannot be made is refused when it is asked for, and not when the first agent is to start. */
export async function refuseSandbox(knex: Knex): Promise<Refusal | undefined> {
  const problem = await sandboxProblem(knex)
  if (problem === undefined) return undefined
  return refuse('no_sandbox', `No sandbox can be made here. ${problem}`, {
    advice:
      'Do that, have the machine looked at again (Settings, Agents, Scan again), and set the sandbox once more.',
  })
}
