import { DEMO_PROFILE } from '../../contracts/profile.ts'
import type { Database } from '../../db/connect.ts'

/** A goal that needs no repository, for tests of what happens to its rows. */
export async function insertGoal({ knex }: Database, title = 'a goal'): Promise<string> {
  const [project] = await knex('projects')
    .insert({ name: 'rows', path: `/nowhere/${crypto.randomUUID()}`, default_branch: 'main' })
    .returning('id')
  const profile = await knex('profiles').where({ name: DEMO_PROFILE }).first()
  const snapshot = { skipSpecReview: false, tokenBudget: 0, maxVerifyRounds: 2 }
  const [goal] = await knex('goals')
    .insert({
      ...{ project_id: project.id, title, description: title, target_branch: 'main' },
      profile: JSON.stringify({ name: profile.name, stages: profile.stages, ...snapshot }),
    })
    .returning('id')
  return goal.id
}

export async function insertReview(
  { knex }: Database,
  goalId: string,
  columns: Record<string, unknown> = {},
): Promise<string> {
  const [row] = await knex('reviews')
    .insert({
      ...{ kind: 'merge', goal_id: goalId, workflow_id: `goal/${goalId}`, attempt: 1 },
      ...{ title: 'look', reason: 'it is large', hash: 'h1', tier: 'notify', risk: 'low' },
      ...columns,
    })
    .returning('id')
  return row.id
}

export async function insertRun({ knex }: Database, goalId: string): Promise<string> {
  const [row] = await knex('agent_runs')
    .insert({
      ...{ goal_id: goalId, stage: 'spec', attempt: 1, segment: 1, purpose: 'start' },
      ...{ adapter: 'demo', status: 'running' },
    })
    .returning('id')
  return row.id
}
