import type { Reply } from '../../contracts/api.ts'
import { formatDuration } from '../../contracts/figures.ts'
import { goalsInNeed, noteGoalsInNeed } from '../attention.ts'
import { type Deps, defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { askReady, databaseAway, howToEnd, processOf } from '../hanging.ts'
import type { Io } from '../io.ts'
import { readServerFile, type ServerFile } from '../supervisor/server-file.ts'
import { placesTaken } from './pool.ts'

export const status = defineCommand({
  name: 'status',
  summary: 'Show whether Dispatch runs, and what it is busy with',
  prints: {
    fields: [
      ...['url', 'ready', 'pool', 'activeGoals', 'goalsInNeed', 'pendingReviews'],
      ...['temporalUi', 'processes'],
    ],
  },
  args: {},
  options: {},
  examples: ['dispatch status', 'dispatch status --json'],
  async run(_options, deps, io) {
    const url = deps.serverUrl()
    const ready = await askReady(deps)
    const work = ready.postgres ? await workNow(deps) : undefined
    const server = readServerFile(deps.home().serverFile)
    const own = server?.url === url ? server : undefined
    if (io.json) {
      io.document({
        url,
        ready,
        ...fieldsOfWork(work),
        temporalUi: own?.temporalUi ?? null,
        processes: own?.processes ?? {},
      })
      return ready.status === 'ok' ? EXIT.ok : EXIT.error
    }
    const processes = Object.entries(own?.processes ?? {}).map(
      ([name, { pid }]) => `${name} ${pid}`,
    )
    const facts: [string, string][] = [
      ['server', url],
      ['ready', ready.status === 'ok' ? 'yes' : `no: ${missing(ready)}`],
      ...(own?.temporalUi ? [['temporal', own.temporalUi] as [string, string]] : []),
      ...(processes.length > 0 ? [['processes', processes.join(', ')] as [string, string]] : []),
      ...(work ? factsOfWork(work) : []),
    ]
    printFacts(facts, io)
    noteWhy(ready, own?.processes, io)
    if (!ready.postgres) {
      const { message, advice } = databaseAway(own)
      io.note(message)
      io.note(advice)
    }
    noteGoalsInNeed(work?.inNeed.items ?? [], io)
    if (work && work.reviews.items.length > 0) io.note('See them: dispatch reviews')
    return ready.status === 'ok' ? EXIT.ok : EXIT.error
  },
})

type Ready = Reply<'ready'>
type Work = Awaited<ReturnType<typeof workNow>>

/** What Dispatch is busy with, of which its database knows. */
async function workNow(deps: Deps) {
  const [pool, goals, reviews, inNeed] = await Promise.all([
    deps.call('getPool'),
    deps.call('listGoals', { query: { status: 'active', limit: 200 } }),
    deps.call('listReviews', { query: { status: 'pending', limit: 200 } }),
    goalsInNeed(deps),
  ])
  return { pool, goals, reviews, inNeed }
}

const fieldsOfWork = (work: Work | undefined) => ({
  pool: work?.pool ?? null,
  activeGoals: work?.goals.items.length ?? null,
  goalsInNeed:
    work?.inNeed.items.map(({ shortId, title, reason }) => ({ shortId, title, reason })) ?? null,
  pendingReviews: work?.reviews.items.length ?? null,
})

function factsOfWork({ pool, goals, reviews, inNeed }: Work): [string, string][] {
  const more = (page: { items: unknown[]; next: string | null }) =>
    `${page.items.length}${page.next === null ? '' : '+'}`
  const ids = inNeed.items.map(({ shortId }) => shortId).join(', ')
  const attention = ids ? `, ${more(inNeed)} need attention: ${ids}` : ''
  const places = `${placesTaken(pool)}, ${pool.waiting.length} in line${pool.paused ? ', paused' : ''}`
  return [
    ['goals', `${more(goals)} active${attention}`],
    ['reviews', `${more(reviews)} waiting for you`],
    ['pool', places],
  ]
}

function missing({ postgres, temporal, worker, undelivered }: Ready): string {
  const names = [
    ...(postgres ? [] : ['Postgres']),
    ...(temporal ? [] : ['Temporal']),
    // of a worker only the database knows
    ...(worker || !postgres ? [] : ['the worker']),
  ]
  if (names.length === 0 && undelivered) return 'Temporal does not take what it is told'
  return `${names.join(' and ')} ${names.length > 1 ? 'do' : 'does'} not answer`
}

/** Why no goal goes on although everything is there. */
function noteWhy(
  { undelivered, workerSilentSince }: Ready,
  processes: ServerFile['processes'] | undefined,
  io: Io,
) {
  if (undelivered) noteUndelivered(undelivered, io)
  if (workerSilentSince) noteHangingWorker(workerSilentSince, processes, io)
}

function noteUndelivered({ messages, since, error }: NonNullable<Ready['undelivered']>, io: Io) {
  const wait = messages === 1 ? 'message waits' : 'messages wait'
  io.note(`${messages} ${wait} for Temporal, since ${since}: ${error}.`)
  io.note('They are sent again by themselves. See whose they are: dispatch doctor')
}

function noteHangingWorker(since: string, processes: ServerFile['processes'] = {}, io: Io) {
  const pid = processes['worker']?.pid
  const ago = formatDuration(Date.now() - Date.parse(since))
  io.note(
    `The worker${processOf(pid)} has not answered for ${ago}, since ${since}: no goal goes on.`,
  )
  io.note(howToEnd(pid))
}

function printFacts(facts: [string, string][], io: Io) {
  for (const [name, value] of facts)
    io.print(
      io.tty
        ? `${io.paint('dim', name.padEnd(10))}${io.clean(value)}`
        : `${name}\t${io.clean(value)}`,
    )
}
