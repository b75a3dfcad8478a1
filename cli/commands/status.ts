import type { Reply } from '../../contracts/api.ts'
import { formatDuration } from '../../contracts/figures.ts'
import { goalsInNeed, noteGoalsInNeed } from '../attention.ts'
import { defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
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
    const [ready, pool, goals, reviews, inNeed] = await Promise.all([
      deps.call('ready').catch(notReady),
      deps.call('getPool'),
      deps.call('listGoals', { query: { status: 'active', limit: 200 } }),
      deps.call('listReviews', { query: { status: 'pending', limit: 200 } }),
      goalsInNeed(deps),
    ])
    const server = readServerFile(deps.home().serverFile)
    const own = server?.url === url ? server : undefined
    if (io.json) {
      io.document({
        url,
        ready,
        pool,
        activeGoals: goals.items.length,
        goalsInNeed: inNeed.items.map(({ shortId, title, reason }) => ({ shortId, title, reason })),
        pendingReviews: reviews.items.length,
        temporalUi: own?.temporalUi ?? null,
        processes: own?.processes ?? {},
      })
      return ready.status === 'ok' ? EXIT.ok : EXIT.error
    }
    const more = (page: { items: unknown[]; next: string | null }) =>
      `${page.items.length}${page.next === null ? '' : '+'}`
    const processes = Object.entries(own?.processes ?? {}).map(
      ([name, { pid }]) => `${name} ${pid}`,
    )
    const ids = inNeed.items.map(({ shortId }) => shortId).join(', ')
    const attention = ids ? `, ${more(inNeed)} need attention: ${ids}` : ''
    const facts: [string, string][] = [
      ['server', url],
      ['ready', ready.status === 'ok' ? 'yes' : `no: ${missing(ready)}`],
      ...(own?.temporalUi ? [['temporal', own.temporalUi] as [string, string]] : []),
      ...(processes.length > 0 ? [['processes', processes.join(', ')] as [string, string]] : []),
      ['goals', `${more(goals)} active${attention}`],
      ['reviews', `${more(reviews)} waiting for you`],
      [
        'pool',
        `${placesTaken(pool)}, ${pool.waiting.length} in line${pool.paused ? ', paused' : ''}`,
      ],
    ]
    printFacts(facts, io)
    noteWhy(ready, own?.processes, io)
    noteGoalsInNeed(inNeed.items, io)
    if (reviews.items.length > 0) io.note('See them: dispatch reviews')
    return ready.status === 'ok' ? EXIT.ok : EXIT.error
  },
})

type Ready = Reply<'ready'>

/** A degraded server may answer with 503: that is a state to show, not a failure of this command. */
function notReady(error: unknown): Ready {
  const { problem } = error as { problem?: { status: number; current?: Partial<Ready> } }
  if (problem?.status !== 503) throw error
  return {
    ...{ status: 'degraded', postgres: false, temporal: false, worker: false },
    ...{ workerSilentSince: null, undelivered: null, ...problem.current },
  }
}

function missing({ postgres, temporal, worker, undelivered }: Ready): string {
  const names = [
    ...(postgres ? [] : ['Postgres']),
    ...(temporal ? [] : ['Temporal']),
    ...(worker ? [] : ['the worker']),
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

/** A process that hangs is not started again by itself: its supervisor sees only one that ends. */
function noteHangingWorker(since: string, processes: ServerFile['processes'] = {}, io: Io) {
  const pid = processes['worker']?.pid
  const named = pid === undefined ? '' : ` (process ${pid})`
  const ago = formatDuration(Date.now() - Date.parse(since))
  io.note(`The worker${named} has not answered for ${ago}, since ${since}: no goal goes on.`)
  const how = pid === undefined ? '' : `: kill -9 ${pid}`
  io.note(
    `Unless it comes back by itself, end it${how}. It is started again, and agents at work go on.`,
  )
}

function printFacts(facts: [string, string][], io: Io) {
  for (const [name, value] of facts)
    io.print(
      io.tty
        ? `${io.paint('dim', name.padEnd(10))}${io.clean(value)}`
        : `${name}\t${io.clean(value)}`,
    )
}
