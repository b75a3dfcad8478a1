import type { StoredEvent } from '../../../contracts/events.ts'

/** The beginning of a query key: every query under it is read again. */
export type KeyPrefix = readonly [entity: string, id?: string]

const ofTask = (taskId: string | null): readonly KeyPrefix[] =>
  taskId === null ? [] : [['task', taskId]]

/** What an event makes stale. Pure, so that a new event has one obvious place. */
export function staleAfter(event: StoredEvent): readonly KeyPrefix[] {
  switch (event.type) {
    case 'goal.created':
    case 'goal.status':
    case 'goal.profile':
    case 'goal.merged':
    case 'goal.salvaged':
      // a pause stands still what is at work on its tasks
      return [['goals'], ['goal', event.data.goalId], ['task'], ['overview']]
    case 'stage.status':
      return [
        ['goal', event.data.goalId],
        ...ofTask(event.data.taskId), // its stage and who works on it are the task's too
        ...([['goals']] as const),
        // it went into the line, or is told another reason why it waits there
        ...(event.data.status === 'waiting' ? ([['pool'], ['overview']] as const) : []),
      ]
    case 'task.status':
    case 'task.files':
    case 'task.deviation':
    case 'task.verified':
      return [
        ['goal', event.data.goalId],
        ['task', event.data.taskId],
      ]
    case 'run.status':
      return [
        ['goal', event.data.goalId],
        ...ofTask(event.data.taskId), // what it spent
        ['agent', event.data.runId],
        ...([['goals'], ['agents'], ['pool'], ['overview'], ['ledger']] as const),
      ]
    case 'correction.status':
      return [['agent', event.data.runId]]
    case 'review.pending':
    case 'review.decided':
      return [
        ['goal', event.data.goalId],
        // an open page of an earlier review says that there is a newer one
        event.type === 'review.pending' ? ['review'] : ['review', event.data.reviewId],
        ...([['reviews'], ['goals'], ['overview']] as const),
      ]
    case 'pool.status':
      return [['pool'], ['overview']]
    case 'project.changed':
      return [['projects'], ['overview']]
    case 'suggestion.changed':
      return [['suggestions'], ['projects'], ['profiles']]
    case 'settings.changed':
      return [['settings'], ['profiles'], ['adapters'], ['pool'], ['overview']]
    case 'system.notice':
      return []
    default:
      return unknownEvent(event)
  }
}

/** A newer server may send what this page does not know yet. */
const unknownEvent = (_event: never): readonly KeyPrefix[] => []
