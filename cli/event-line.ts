import type { EventBody, StoredEvent } from '../contracts/events.ts'
import { formatUsedTokens, usedByRun } from '../contracts/figures.ts'
import { STAGE_TITLES } from '../contracts/stages.ts'
import { countOf, look } from './format.ts'

/** What an event says, in words, without its time. */
export function eventLine(event: EventBody): string {
  const { type, data } = event
  switch (type) {
    case 'goal.created':
      return `goal filed: ${data.title}`
    case 'goal.status':
      return `goal ${look(data.status).word} at ${STAGE_TITLES[data.stage]}${why(data.reason)}`
    case 'goal.profile':
      return `goal goes on with the profile ${data.profile}`
    case 'stage.status':
      return `${STAGE_TITLES[data.stage]} ${look(data.status).word}${attempt(data.attempt)}${why(data.reason)}`
    case 'task.status':
      return `task ${look(data.status).word}${why(data.reason)}`
    case 'task.files':
      return `task changed ${countOf(data.files.length, 'file')}, now at ${data.head.slice(0, 12)}`
    case 'task.deviation':
      return `task deviates: ${data.text}`
    case 'task.verified':
      return `task verified: ${data.pass} pass, ${data.warn} warn, ${data.fail} fail`
    case 'run.status':
      return `${data.adapter} ${look(data.status).word} in ${STAGE_TITLES[data.stage]}, ${formatUsedTokens(usedByRun(data))} tokens${why(data.detail ?? data.reason)}`
    case 'correction.status':
      return `correction ${data.state}: ${data.text}${why(data.note ?? null)}`
    case 'review.pending':
      return data.tier === 'block'
        ? `review of the ${data.kind} waits${why(data.reason)}: dispatch reviews`
        : `${data.kind} goes on by policy (${data.tier}), no review waits${why(data.reason)}`
    case 'review.decided':
      return `review decided: ${data.decision}${why(data.comment)}`
    case 'goal.merged':
      return `merged into ${data.target} as ${data.commit}`
    case 'goal.salvaged':
      return `work saved that was nowhere else: git fetch ${data.repository} ${data.ref}`
    case 'pool.status':
      return `pool ${data.paused ? 'paused' : 'open'}: ${data.held} running, ${data.waiting} in line`
    case 'project.changed':
      return `project ${data.change}`
    case 'suggestion.changed':
      return 'corrections alike: see dispatch suggestions'
    case 'settings.changed':
      return `settings changed: ${data.keys.join(', ')}`
    case 'system.notice':
      return `${data.level}: ${data.text}`
    default:
      return unknownEvent(event)
  }
}

/** A newer server may send what this CLI does not know yet. */
function unknownEvent(event: never): string {
  return (event as StoredEvent).type
}

const why = (reason: string | null) => (reason ? ` (${reason})` : '')
const attempt = (number: number) => (number > 1 ? `, attempt ${number}` : '')
