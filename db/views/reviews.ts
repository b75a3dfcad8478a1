import type { Knex } from 'knex'
import { shortId } from '../../contracts/ids.ts'
import type { Review, ReviewSummary } from '../../contracts/schemas.ts'
import { askAll } from '../ask-all.ts'
import { approvedEdit } from '../decisions.ts'
import { decodeCursor, type Page, type PageQuery, toPage } from '../page.ts'
import { isRefusal, type Refusal } from '../refusal.ts'
import { resolveId } from '../resolve.ts'
import { type SpecRow, toSpecVersion } from './specs.ts'

interface ReviewRow {
  id: string
  number: number
  kind: ReviewSummary['kind']
  goal_id: string
  goal_number: number
  goal_title: string
  project_id: string
  project_name: string
  task_id: string | null
  task_number: number | null
  title: string
  attempt: number
  tier: ReviewSummary['tier']
  status: ReviewSummary['status']
  decision: string | null
  hash: string
  base: string | null
  head: string | null
  tree: string | null
  risk: Review['risk']
  reason: string
  checklist: Review['checklist']
  files: Review['files']
  summary: string | null
  deviations: string[]
  findings: Review['findings']
  second_opinion: Review['secondOpinion']
  spec_id: string | null
  created_at: string
  decided_at: string | null
  decided_by: string | null
  via: string | null
  comment: string | null
  rank: number
  file_count: number
  additions: number
  deletions: number
}

const LISTED = [
  ...[
    'id',
    'number',
    'kind',
    'goal_id',
    'task_id',
    'title',
    'attempt',
    'tier',
    'risk',
    'status',
    'hash',
  ],
  ...['created_at', 'decided_at', 'decided_by', 'via', 'comment'],
].map((column) => `v.${column}`)
/** How much a review asks to look at, from the files that it lists. */
const SIZE = `lateral (select count(*)::int as file_count, coalesce(sum((f->>'additions')::int), 0)::int as additions,
  coalesce(sum((f->>'deletions')::int), 0)::int as deletions from jsonb_array_elements(v.files) f) as z`
/** Pending ones first. */
const RANK = `(case when v.status = 'pending' then 0 else 1 end)`

const reviewRows = (knex: Knex, columns: readonly string[]): Knex.QueryBuilder =>
  knex('reviews as v')
    .join('goals as g', 'g.id', 'v.goal_id')
    .join('projects as p', 'p.id', 'g.project_id')
    .leftJoin('tasks as t', 't.id', 'v.task_id')
    .joinRaw(`cross join ${SIZE}`)
    .select(
      ...columns,
      ...['z.file_count', 'z.additions', 'z.deletions'],
      { goal_number: 'g.number', goal_title: 'g.title', task_number: 't.number' },
      { project_id: 'p.id', project_name: 'p.name' },
      knex.raw(`${RANK} as rank`),
    )

const toSummary = (row: ReviewRow): ReviewSummary => ({
  id: row.id,
  shortId: shortId('review', row.number),
  kind: row.kind,
  goalId: row.goal_id,
  goalShortId: shortId('goal', row.goal_number),
  goalTitle: row.goal_title,
  projectId: row.project_id,
  projectName: row.project_name,
  taskId: row.task_id,
  taskShortId: row.task_number === null ? null : shortId('task', row.task_number),
  title: row.title,
  attempt: row.attempt,
  tier: row.tier,
  risk: row.risk,
  size: { files: row.file_count, additions: row.additions, deletions: row.deletions },
  status: row.status,
  hash: row.hash,
  createdAt: row.created_at,
  decidedAt: row.decided_at,
  decidedBy: row.decided_by,
  via: row.via,
  comment: row.comment,
})

/** Reviews: pending ones first, oldest first. */
export async function listReviews(
  knex: Knex,
  query: PageQuery & { status?: string | undefined; goal?: string | undefined },
): Promise<Page<ReviewSummary> | Refusal> {
  const after = decodeCursor(query.cursor)
  if (isRefusal(after)) return after
  const goal = query.goal === undefined ? undefined : await resolveId(knex, 'goal', query.goal)
  if (isRefusal(goal)) return goal
  const rows: ReviewRow[] = await reviewRows(knex, LISTED)
    .modify((q) => {
      if (after) q.whereRaw(`(${RANK}, v.id) > (?, ?::uuid)`, [after.rank, after.id])
      if (query.status) q.where('v.status', query.status)
      if (goal) q.where('v.goal_id', goal.id)
    })
    .orderByRaw(`${RANK}, v.id`)
    .limit(query.limit + 1)
  return toPage(rows, query.limit, {
    item: toSummary,
    position: (row) => ({ rank: row.rank, id: row.id }),
  })
}

/** A goal's reviews in the order they were asked for. */
export async function reviewsOfGoal(knex: Knex, goalId: string): Promise<ReviewSummary[]> {
  const rows: ReviewRow[] = await reviewRows(knex, LISTED)
    .where('v.goal_id', goalId)
    .orderBy('v.id')
  return rows.map(toSummary)
}

/** A review with everything a decision needs. The id is one that `resolveId` gave. */
export async function reviewDetail(knex: Knex, id: string): Promise<Review> {
  const row: ReviewRow = await reviewRows(knex, ['v.*']).where('v.id', id).first()
  const [reviewed, edited, history, newer] = await askAll(knex, [
    () => (row.spec_id === null ? undefined : knex('specs').where({ id: row.spec_id }).first()),
    () => approvedEdit(knex, row),
    () => earlierDecisions(knex, row),
    () => newerReview(knex, row),
  ])
  const spec: SpecRow | undefined = edited ?? reviewed
  const before =
    spec &&
    (await knex('specs')
      .where({ goal_id: row.goal_id, role: spec.role })
      .where('version', '<', spec.version)
      .orderBy('version', 'desc')
      .first())
  return {
    ...toSummary(row),
    base: row.base,
    head: row.head,
    tree: row.tree,
    reason: row.reason,
    checklist: row.checklist,
    files: row.files,
    spec: spec ? toSpecVersion(spec) : null,
    previousSpec: before ? toSpecVersion(before) : null,
    edited: edited !== undefined,
    summary: edited ? edited.content.summary : row.summary,
    deviations: row.deviations,
    findings: row.findings,
    secondOpinion: row.second_opinion,
    newer,
    history,
  }
}

const ofSameWork = (knex: Knex, row: ReviewRow): Knex.QueryBuilder =>
  knex('reviews')
    .where({ goal_id: row.goal_id, kind: row.kind })
    .whereRaw('task_id is not distinct from ?::uuid', [row.task_id])

/** Each budget that is asked for is a question of its own. */
async function newerReview(knex: Knex, row: ReviewRow): Promise<string | null> {
  if (row.kind === 'budget') return null
  const later = ofSameWork(knex, row).where('attempt', '>', row.attempt)
  const newest: ReviewRow | undefined = await later.orderBy('attempt', 'desc').first()
  return newest ? shortId('review', newest.number) : null
}

async function earlierDecisions(knex: Knex, row: ReviewRow): Promise<Review['history']> {
  const rows: ReviewRow[] = await ofSameWork(knex, row)
    .where('attempt', '<', row.attempt)
    .whereNotNull('decision')
    .orderBy('attempt')
  return rows.map((one) => ({
    shortId: shortId('review', one.number),
    attempt: one.attempt,
    summary: one.summary,
    decision: one.decision ?? '',
    comment: one.comment,
    by: one.decided_by ?? '',
    at: one.decided_at ?? one.created_at,
  }))
}

/** What reading a review's diff needs; base and tree are null when it is about no commit. The id is one that `resolveId` gave. */
export async function reviewRange(knex: Knex, id: string) {
  const row: ReviewRow = await reviewRows(knex, ['v.*']).where('v.id', id).first()
  const before: ReviewRow | undefined = await ofSameWork(knex, row)
    .where('attempt', '<', row.attempt)
    .whereNotNull('tree')
    .whereNotNull('decision')
    .orderBy('attempt', 'desc')
    .first()
  return {
    number: row.number,
    projectId: row.project_id,
    base: row.base,
    head: row.head,
    // a merge's tree is what it would leave behind, which is not the tree of its head
    tree: row.tree,
    previous: before?.tree
      ? {
          attempt: before.attempt,
          head: before.head ?? before.tree,
          tree: before.tree,
          decidedAt: before.decided_at,
          rebased: before.base !== row.base,
        }
      : null,
  }
}
