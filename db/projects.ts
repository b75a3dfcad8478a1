import { basename } from 'node:path'
import type { Network, SandboxKind } from '../contracts/agent.ts'
import { SYSTEM_STREAM, shortId } from '../contracts/ids.ts'
import type { CheckCommand } from '../contracts/schemas.ts'
import { OPEN_STATUSES } from '../contracts/stages.ts'
import type { Tx } from './connect.ts'
import { contentHash } from './content-hash.ts'
import type { EmittedEvent } from './events.ts'
import { type Refusal, refuse } from './refusal.ts'

type Emit = (event: EmittedEvent) => void

const changed = (
  projectId: string,
  change: 'added' | 'changed' | 'removed',
  actor: string,
): EmittedEvent => ({
  type: 'project.changed',
  stream: SYSTEM_STREAM,
  actor,
  data: { projectId, change },
})

export interface NewProject {
  /** Real path of the checkout's top folder. */
  path: string
  name?: string | undefined
  /** Absent means the repository's own. */
  defaultBranch?: string | undefined
  ownBranch: string
  checks?: CheckCommand[] | undefined
  profileId?: string | undefined
  trusted?: boolean | undefined
  sandbox?: SandboxKind | undefined
  network?: Network | undefined
}

/**
 * Registers a repository. The same path again is the same project: nothing changes, its id comes back. Refused where it has something
 * else than is asked for, so that nobody takes its agents for shut in who are not.
 */
export async function createProject(
  tx: Tx,
  emit: Emit,
  input: NewProject & { actor: string },
): Promise<{ id: string } | Refusal> {
  const [row] = await tx('projects')
    .insert({
      path: input.path,
      name: input.name ?? basename(input.path),
      default_branch: input.defaultBranch ?? input.ownBranch,
      checks: JSON.stringify(input.checks ?? []),
      profile_id: input.profileId ?? null,
      trusted: input.trusted ?? true,
      ...(input.sandbox ? { sandbox: input.sandbox } : {}),
      ...(input.network ? { network: input.network } : {}),
    })
    .onConflict(tx.raw('(path) where removed_at is null') as never)
    .ignore()
    .returning('id')
  if (!row) return knownProject(tx, input)
  emit(changed(row.id, 'added', input.actor))
  return row
}

/** In words, what is asked for of a new project. */
const asked = (input: NewProject): Record<string, [column: string, value: unknown]> => ({
  name: ['name', input.name],
  branch: ['default_branch', input.defaultBranch],
  checks: ['checks', input.checks],
  profile: ['profile_id', input.profileId],
  trust: ['trusted', input.trusted],
  sandbox: ['sandbox', input.sandbox],
  network: ['network', input.network],
})

async function knownProject(tx: Tx, input: NewProject): Promise<{ id: string } | Refusal> {
  const row = await tx('projects').where({ path: input.path }).whereNull('removed_at').first()
  const others = Object.entries(asked(input)).flatMap(([word, [column, value]]) =>
    value === undefined || contentHash(value) === contentHash(row[column]) ? [] : [word],
  )
  if (others.length === 0) return row
  const id = shortId('project', row.number)
  return refuse(
    'project_exists',
    `That repository is ${id} (${row.name}) already, and differs in: ${others.join(', ')}. Nothing was changed.`,
    {
      advice: `Change it there, in its settings, or remove it first: dispatch projects remove ${id}`,
    },
  )
}

export interface ProjectChange {
  name?: string | undefined
  defaultBranch?: string | undefined
  checks?: CheckCommand[] | undefined
  /** Null takes the project's own profile away. */
  profileId?: string | null | undefined
  trusted?: boolean | undefined
  sandbox?: SandboxKind | undefined
  network?: Network | undefined
  conventions?: string | undefined
}

/** Changes what is given; the rest stays as it is. */
export async function updateProject(
  tx: Tx,
  emit: Emit,
  input: { id: string; change: ProjectChange; actor: string },
): Promise<void> {
  const { change } = input
  const columns = Object.entries({
    name: change.name,
    default_branch: change.defaultBranch,
    checks: change.checks && JSON.stringify(change.checks),
    profile_id: change.profileId,
    trusted: change.trusted,
    sandbox: change.sandbox,
    network: change.network,
    conventions: change.conventions,
  }).filter(([, value]) => value !== undefined)
  if (columns.length === 0) return
  await tx('projects').where({ id: input.id }).update(Object.fromEntries(columns))
  emit(changed(input.id, 'changed', input.actor))
}

/** Forgets a project; its repository and its goals' history stay. Refused while goals are at work. */
export async function removeProject(
  tx: Tx,
  emit: Emit,
  input: { id: string; actor: string },
): Promise<Refusal | undefined> {
  await tx('projects').where({ id: input.id }).forUpdate().first('id')
  const live: { number: number }[] = await tx('goals')
    .where({ project_id: input.id })
    .whereIn('status', OPEN_STATUSES)
    .orderBy('number')
    .select('number')
  if (live.length > 0) {
    const goals = live.map((goal) => `G-${goal.number}`)
    return refuse('in_use', `Goals of this project are not finished: ${goals.join(', ')}.`, {
      advice: 'Cancel them first, or wait until they are done.',
      current: { goals },
    })
  }
  await tx('projects').where({ id: input.id }).update({ removed_at: tx.fn.now() })
  emit(changed(input.id, 'removed', input.actor))
  return undefined
}
