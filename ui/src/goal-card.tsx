import type { Goal, StageState } from '../../contracts/schemas.ts'
import { STAGE_TITLES, STAGES } from '../../contracts/stages.ts'

const STATUS_WORDS: Readonly<Record<Goal['status'], string>> = {
  active: 'at work',
  paused: 'paused',
  completed: 'merged',
  failed: 'failed',
  cancelled: 'cancelled',
  needs_attention: 'needs you',
}

/** A sign besides the colour, so that a stage's state can be told without it. */
const SIGNS: Readonly<Record<StageState['status'], string>> = {
  waiting: '·',
  running: '▸',
  paused: '‖',
  review: '?',
  passed: '✓',
  failed: '✗',
  skipped: '–',
  cancelled: '×',
}

/** The most telling attempt of a stage: over all its tasks the one that is furthest from done. */
const ORDER: readonly StageState['status'][] = [
  ...(['failed', 'review', 'running', 'paused', 'waiting'] as const),
  ...(['cancelled', 'passed', 'skipped'] as const),
]

function statusOf(goal: Goal, stage: StageState['stage']): StageState['status'] {
  const latest = new Map<string, StageState>()
  for (const attempt of goal.stages)
    if (attempt.stage === stage) latest.set(attempt.taskId ?? '', attempt)
  const statuses = [...latest.values()].map((attempt) => attempt.status)
  return ORDER.find((status) => statuses.includes(status)) ?? 'waiting'
}

export function GoalCard({ goal }: { goal: Goal }) {
  return (
    <article id={`/goals/${goal.id}`}>
      <h3>
        <span className="short-id">{goal.shortId}</span> <span className="title">{goal.title}</span>
      </h3>
      <p className="quiet">
        <strong className={`status ${goal.status}`}>{STATUS_WORDS[goal.status]}</strong>
        {' · '}
        {goal.projectName} → {goal.targetBranch} · {goal.profileName} ·{' '}
        {goal.usage.total.toLocaleString()} tokens · {costOf(goal)}
      </p>
      {goal.reason !== null && <p className="reason">{goal.reason}</p>}
      <ol className="stages">
        {STAGES.map((stage) => {
          const status = statusOf(goal, stage)
          return (
            <li key={stage} className={status}>
              <span aria-hidden="true">{SIGNS[status]}</span> {STAGE_TITLES[stage]}
              <span className="hidden">: {status}</span>
            </li>
          )
        })}
      </ol>
    </article>
  )
}

const costOf = ({ usage }: Goal) =>
  usage.costUsd === null ? 'cost unknown' : `$${usage.costUsd.toFixed(2)}`
