import type { Knex } from 'knex'

type Questions = readonly (() => unknown)[]
type Answers<Q extends Questions> = { -readonly [I in keyof Q]: Awaited<ReturnType<Q[I]>> }

/** Answers to several questions: at once over the pool's connections, one after the other in a transaction, whose one connection takes one at a time. */
export async function askAll<const Q extends Questions>(
  knex: Knex,
  questions: Q,
): Promise<Answers<Q>> {
  if (!knex.isTransaction) return (await Promise.all(questions.map((ask) => ask()))) as Answers<Q>
  const answers: unknown[] = []
  for (const ask of questions) answers.push(await ask())
  return answers as Answers<Q>
}
