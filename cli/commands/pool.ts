import { actorName } from '../../contracts/figures.ts'
import type { PoolState } from '../../contracts/schemas.ts'
import { type Command, defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { when } from '../format.ts'
import type { Io } from '../io.ts'

const declare = (
  name: string,
  summary: string,
  route: 'getPool' | 'pausePool' | 'resumePool',
): Command =>
  defineCommand({
    name,
    summary,
    prints: { replies: [route] },
    args: {},
    options: {},
    examples: [`dispatch ${name}`],
    async run(_options, deps, io) {
      const reply = route === 'getPool' ? deps.call(route) : deps.call(route, { body: {} })
      return printPool(await reply, io)
    },
  })

export const pool = declare('pool', 'Show who runs, who waits and why', 'getPool')
export const poolStatus = declare('pool status', 'Show who runs, who waits and why', 'getPool')
export const poolPause = declare(
  'pool pause',
  'Start no more runs; running ones go on',
  'pausePool',
)
export const poolResume = declare('pool resume', 'Start runs again', 'resumePool')

export const placesTaken = ({ held, maxConcurrent }: PoolState): string =>
  `${held.length} of ${maxConcurrent} places taken`

function printPool(state: PoolState, io: Io): number {
  if (io.json) {
    io.document(state)
    return EXIT.ok
  }
  const paused = state.paused
    ? `paused${state.pausedBy ? ` by ${actorName(state.pausedBy)}` : ''}, `
    : ''
  io.note(
    `Pool: ${paused}${placesTaken(state)}, at most ${state.maxPerGoal} by one goal, ${state.waiting.length} in line`,
  )
  const rows = [
    ...state.held.map((lease) => ({ ...lease, place: 'running', why: '' })),
    ...state.waiting.map((lease) => ({ ...lease, place: `#${lease.position}`, why: lease.reason })),
  ]
  if (rows.length === 0) return EXIT.ok
  io.table(
    [
      { title: 'PLACE' },
      { title: 'GOAL' },
      { title: 'STAGE' },
      { title: 'AGENT' },
      { title: 'SINCE' },
      { title: 'WHY', flexible: true },
    ],
    rows.map(({ place, goalShortId, stage, adapter, since, why }) => [
      { text: place, style: place === 'running' ? 'cyan' : 'dim' },
      goalShortId,
      stage,
      adapter,
      when(since, io.tty),
      why,
    ]),
  )
  return EXIT.ok
}
