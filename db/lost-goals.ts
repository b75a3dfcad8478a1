import { goalStream } from '../contracts/ids.ts'
import type { Stage } from '../contracts/stages.ts'
import type { Tx } from './connect.ts'
import type { EmittedEvent } from './events.ts'

type Emit = (event: EmittedEvent) => void

interface GoalRow {
  id: string
  stage: Stage
  paused: boolean
  attention: Record<string, string>
}

/** The place at which a goal's `attention` keeps that Temporal does not know it. */
const PLACE = 'temporal'
const REASON =
  'Temporal does not know this goal (its database was lost or restored): retry begins it again from what is stored'

/**
 * Asks for a person about goals that Temporal was found not to know at `lookedAt`, where nothing else moves them: one that waits for a
 * person, or that a message waits for, begins again by that. What changed since then is left alone.
 */
export async function askAboutLost(
  tx: Tx,
  emit: Emit,
  { ids, lookedAt }: { ids: readonly string[]; lookedAt: string },
): Promise<void> {
  const rows: GoalRow[] = await tx('goals as g')
    .whereIn('g.id', ids)
    .where({ 'g.status': 'active', 'g.ending': false })
    .where('g.updated_at', '<', lookedAt)
    .whereRaw(
      `not exists (select 1 from reviews v where v.goal_id = g.id and v.status = 'pending')
       and not exists (select 1 from outbox o where o.done_at is null and (o.workflow_id = 'goal/' || g.id
         or o.workflow_id in (select 'task/' || t.id from tasks t where t.goal_id = g.id)))`,
    )
    .update({
      ...{ status: 'needs_attention', reason: REASON, updated_at: tx.fn.now() },
      attention: tx.raw('attention || ?::jsonb', [JSON.stringify({ [PLACE]: REASON })]),
    })
    .returning(['id', 'stage'])
  for (const goal of rows) emit(statusEvent(goal, 'needs_attention', REASON))
}

/** Temporal knows these goals, or knows them again: they ask no more because of that. */
export async function askNoMore(tx: Tx, emit: Emit, ids: readonly string[]): Promise<void> {
  const goals: GoalRow[] = await tx('goals')
    .whereIn('id', ids)
    .whereRaw('attention ->> ? is not null', [PLACE])
    .orderBy('id')
    .forUpdate()
  for (const goal of goals) {
    const { [PLACE]: _, ...attention } = goal.attention
    const [reason = null] = Object.values(attention)
    const status = reason !== null ? 'needs_attention' : goal.paused ? 'paused' : 'active'
    await tx('goals')
      .where({ id: goal.id })
      .update({ status, reason, attention, updated_at: tx.fn.now() })
    emit(statusEvent(goal, status, reason))
  }
}

function statusEvent(
  { id, stage }: GoalRow,
  status: 'active' | 'paused' | 'needs_attention',
  reason: string | null,
): EmittedEvent {
  return {
    ...{ type: 'goal.status', stream: goalStream(id), actor: 'dispatch' },
    data: { goalId: id, status, stage, reason },
  }
}
