import { randomUUID } from 'node:crypto'
import type { Knex } from 'knex'
import type { Database } from './connect.ts'
import { listen } from './listen.ts'
import { workerPresence } from './presence.ts'

/** Asks workers about a program: agents are on their machine, which need not be the API's. */
export const PROGRAMS_CHANNEL = 'dispatch_programs'
const ANSWERS_CHANNEL = 'dispatch_program_answers'
const PATIENCE_MS = 10_000

interface Question {
  id: string
  path: string
}
interface Answer {
  id: string
  problem: string | null
}

/** Why a worker would not start the program at that path; undefined when it would, or when none answers: its next look tells then. */
export async function askAboutProgram(
  { knex, url }: Pick<Database, 'knex' | 'url'>,
  path: string,
): Promise<string | undefined> {
  if (!(await workerPresence(knex)).lives) return undefined
  const question: Question = { id: randomUUID(), path }
  return new Promise((resolve, reject) => {
    const end = (problem?: string) => {
      clearTimeout(timer)
      listener.close().then(() => resolve(problem), reject)
    }
    const timer = setTimeout(end, PATIENCE_MS)
    const listener = listen({
      ...{ url, channels: [ANSWERS_CHANNEL] },
      onConnected: () => void notify(knex, PROGRAMS_CHANNEL, question).catch(() => end()),
      onNotify(_channel, payload) {
        const { id, problem }: Answer = JSON.parse(payload)
        if (id === question.id) end(problem ?? undefined)
      },
    })
  })
}

/** Answers a question that came on the channel. */
export async function answerAboutProgram(
  knex: Knex,
  payload: string,
  problemOf: (path: string) => Promise<string | undefined>,
): Promise<void> {
  const { id, path }: Question = JSON.parse(payload)
  const answer: Answer = { id, problem: (await problemOf(path)) ?? null }
  await notify(knex, ANSWERS_CHANNEL, answer)
}

const notify = (knex: Knex, channel: string, message: Question | Answer) =>
  knex.raw('select pg_notify(?, ?)', [channel, JSON.stringify(message)])
