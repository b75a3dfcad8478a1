import type { GoalSummary } from '../../contracts/schemas.ts'
import { type Deps, defineCommand } from '../command.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { look } from '../format.ts'
import type { Io } from '../io.ts'
import { goalId } from '../target.ts'

const id = { required: true, help: 'a goal, such as G-12', complete: 'goal' } as const
const profile = {
  type: 'string',
  value: 'name',
  help: 'go on with the agents of this profile: what is not at work begins anew by them',
} as const

export const goalPause = defineCommand({
  name: 'goal pause',
  summary: 'Interrupt its agents and keep their sessions',
  prints: { replies: ['pauseGoal'] },
  args: { id },
  options: {},
  examples: ['dispatch goal pause G-12'],
  async run({ id }, deps, io) {
    const goal = await deps.call('pauseGoal', { params: { id: goalId(id) }, body: {} })
    return report(goal, io, { next: `Go on: dispatch goal resume ${goal.shortId}` })
  },
})

export const goalResume = defineCommand({
  name: 'goal resume',
  summary: 'Go on with a paused goal, in the same sessions',
  prints: { replies: ['resumeGoal'] },
  args: { id },
  options: { profile },
  examples: ['dispatch goal resume G-12', 'dispatch goal resume G-12 --profile Auto'],
  async run({ id, profile }, deps, io) {
    const goal = await deps.call('resumeGoal', goOn(id, profile))
    return report(goal, io, { next: `Watch it: dispatch goal watch ${goal.shortId}` })
  },
})

export const goalRetry = defineCommand({
  name: 'goal retry',
  summary: 'Try the stage again that failed, or that waits for a provider, at once',
  prints: { replies: ['retryGoal'] },
  args: { id },
  options: { profile },
  examples: ['dispatch goal retry G-12', 'dispatch goal retry G-12 --profile Auto'],
  async run({ id, profile }, deps, io) {
    // the answer tells it no more; another profile is something to do for any goal
    const idle = profile === undefined && !(await canBeRetried(goalId(id), deps))
    const goal = await deps.call('retryGoal', goOn(id, profile))
    if (idle)
      io.note('There is nothing to try again: nothing failed, and nothing waits for a provider.')
    // what it waited for holds no more, though the goal says so until a worker has heard of it
    const now = { next: `Watch it: dispatch goal watch ${goal.shortId}`, reason: null }
    return report(goal, io, now)
  },
})

export const goalCancel = defineCommand({
  name: 'goal cancel',
  summary: 'End a goal and its agents; its work is kept',
  prints: { replies: ['cancelGoal'] },
  args: { id },
  options: {
    reason: { type: 'string', value: 'text', help: 'why, for the record' },
    yes: { type: 'boolean', short: 'y', help: 'do not ask' },
  },
  examples: ['dispatch goal cancel G-12 --reason "Not needed any more"'],
  async run({ id, reason, yes }, deps, io) {
    const target = goalId(id)
    if (io.interactive && !yes) {
      const goal = await deps.call('getGoal', { params: { id: target } })
      const question = `Cancel ${goal.shortId} "${io.clean(goal.title)}" for good?`
      if (!(await io.confirm(question)))
        throw new CliFailure('refused', 'declined', `${goal.shortId} was not cancelled.`)
    }
    const goal = await deps.call('cancelGoal', {
      params: { id: target },
      body: reason ? { reason } : {},
    })
    return report(goal, io)
  },
})

/** Whether something of it failed, or waits for a provider. */
async function canBeRetried(id: string, deps: Deps): Promise<boolean> {
  const { status, stages } = await deps.call('getGoal', { params: { id } })
  return status !== 'active' || stages.some(({ resumesAt }) => resumesAt !== null)
}

/** Without a profile the goal keeps its own. */
const goOn = (id: string, profile: string | undefined) => ({
  params: { id: goalId(id) },
  body: profile === undefined ? {} : { profile },
})

function report(
  goal: GoalSummary,
  io: Io,
  { next, reason = goal.reason }: { next?: string; reason?: string | null } = {},
): number {
  if (io.json) io.document(goal)
  const { shortId, status } = goal
  const { word } = look(status)
  const why = reason === null ? '' : io.clean(reason)
  // while it ends its status is that of before, and not for long
  const state = why.startsWith('ending: ') ? why : `${word}${why && ` (${why})`}`
  io.print(`${shortId} ${state}`)
  if (next) io.note(next)
  return EXIT.ok
}
