import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Database } from '../db/connect.ts'
import { type DoctorFinding, databaseFindings, told } from '../db/doctor.ts'
import { agentsFinding } from '../db/doctor-agents.ts'
import { sandboxFinding } from '../db/doctor-sandbox.ts'
import { liveWorktreeKeys } from '../db/live-worktrees.ts'
import type { GitScan } from '../git/doctor.ts'
import type { Git } from '../git/git.ts'
import { findRunLeftovers, removeRunLeftovers } from '../runner/leftovers.ts'
import { lostGoalsFinding } from './lost-goals.ts'
import type { TemporalGateway } from './temporal-gateway.ts'

interface DoctorDeps {
  database: Database
  git: Pick<Git, 'scan' | 'repair' | 'idle'>
  temporal: Pick<TemporalGateway, 'client' | 'ready'>
  /** DISPATCH_HOME. */
  home: string
}

const ADVICE = 'run "dispatch doctor --repair": work that is nowhere else is saved first'
const SHOWN = 5

const TEMPORAL_AWAY: DoctorFinding = {
  ...{ name: 'goals', ok: false, repaired: false },
  message: 'Temporal does not answer: whether it knows every goal at work cannot be told',
  advice: 'see what is said of "temporal", and try again',
}

/**
 * What is left over in the database, in each project's hubs and worktrees and among the runs. With `repair` it is put
 * in order; an agent's work that is nowhere else gets a salvage ref before its worktree goes.
 */
export function createDoctor(deps: DoctorDeps): (repair: boolean) => Promise<DoctorFinding[]> {
  return async (repair) => {
    const projects: ProjectRow[] = await deps.database
      .knex('projects')
      .orderBy('number')
      .select('id', 'name', 'path', 'removed_at')
    const findings = await databaseFindings(deps.database, repair)
    findings.push(
      await told('goals', async () =>
        (await deps.temporal.ready())
          ? lostGoalsFinding(deps.database, await deps.temporal.client(), repair)
          : TEMPORAL_AWAY,
      ),
    )
    for (const project of projects) {
      const name = `git of ${project.name}`
      findings.push(...repositoryGone(project))
      findings.push(await told(name, () => ofProject(deps, { ...project, name }, repair)))
    }
    findings.push(await told('agents', () => agentsFinding(deps.database.knex)))
    findings.push(await told('sandbox', () => sandboxFinding(deps.database.knex)))
    findings.push(await told('hubs', () => ofHubs(deps, projects)))
    findings.push(await told('run folders', () => ofRuns(deps, repair)))
    return findings
  }
}

interface ProjectRow {
  id: string
  name: string
  path: string
  removed_at: string | null
}

/** The person's own repository: without it no goal of the project begins or is merged. */
function repositoryGone({ name, path, removed_at }: ProjectRow): DoctorFinding[] {
  if (removed_at !== null || existsSync(join(path, '.git'))) return []
  const finding = { name: `repository of ${name}`, ok: false, repaired: false }
  const advice =
    'put the repository back where it was; no goal of it begins or is merged until then'
  const what = existsSync(path) ? 'is not a git repository' : 'does not exist'
  return [{ ...finding, message: `${path} ${what} any more`, advice }]
}

/** Hubs that no project knows: of a home that lost its database. They may hold work, so nobody removes them but a person. */
async function ofHubs(
  { home }: DoctorDeps,
  projects: readonly { id: string }[],
): Promise<DoctorFinding> {
  const folder = join(home, 'hubs')
  const known = new Set(projects.map(({ id }) => id))
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const unknown = names.filter((name) => !name.startsWith('neutral-') && !known.has(name)).sort()
  const ok = unknown.length === 0
  const shown = unknown.slice(0, SHOWN).map((name) => join(folder, name))
  return {
    name: 'hubs',
    ok,
    message: ok
      ? 'every hub belongs to a project'
      : `hubs of no project: ${unknown.length} (${shown.join(', ')}${unknown.length > SHOWN ? ', ...' : ''})`,
    advice: ok
      ? null
      : 'their branches may hold work: look (git --git-dir FOLDER/clean.git branch), then remove the folders',
    repaired: false,
  }
}

async function ofProject(
  { database, git, home }: DoctorDeps,
  project: { id: string; name: string },
  repair: boolean,
): Promise<DoctorFinding> {
  const input = {
    projectId: project.id,
    liveKeys: () => liveWorktreeKeys(database.knex, project.id),
  }
  const found = await git.scan(input)
  const left = leftOver(found)
  const { name } = project
  if (left.length === 0) {
    const saved = salvageText(found.salvage, join(home, 'hubs', project.id, 'clean.git'))
    const message = `no worktree, branch or lock is left over${saved}`
    return { name, ok: true, message, advice: null, repaired: false }
  }
  const message = left.join('; ')
  if (!repair) return { name, ok: false, message, advice: ADVICE, repaired: false }
  const done = await git.repair(input)
  await git.idle()
  const rest = leftOver(await git.scan(input))
  return {
    name,
    ok: rest.length === 0,
    message: [...done, ...rest.map((line) => `still there: ${line}`)].join('; ') || message,
    advice: rest.length === 0 ? null : 'try again when no agent is at work',
    repaired: rest.length === 0,
  }
}

function leftOver(found: GitScan): string[] {
  return [
    list('worktree', found.orphanWorktrees, ({ key, path }) => `${key} in ${path}`),
    list('incomplete worktree', found.brokenSlots, (slot) => slot),
    list('branch', found.orphanBranches, (ref) => ref.replace('refs/heads/', '')),
    list('lock file', found.locks, (lock) => lock),
    list('unfinished pack', found.unfinishedPacks, (pack) => pack),
  ].filter((line) => line !== '')
}

function list<T>(what: string, items: readonly T[], text: (item: T) => string): string {
  if (items.length === 0) return ''
  const more = items.length > SHOWN ? ` and ${items.length - SHOWN} more` : ''
  const plural = what.endsWith('ch') ? `${what}es` : `${what}s`
  const named = items.slice(0, SHOWN).map(text).join(', ')
  return `${items.length} ${items.length === 1 ? what : plural} left over: ${named}${more}`
}

function salvageText(salvage: GitScan['salvage'], hub: string): string {
  const [newest] = salvage.toSorted((a, b) => b.at.localeCompare(a.at))
  if (!newest) return ''
  const many = salvage.length === 1 ? 'one piece' : `${salvage.length} pieces`
  return `; ${many} of saved work, the newest by: git fetch ${hub} ${newest.ref}`
}

async function ofRuns({ database, home }: DoctorDeps, repair: boolean): Promise<DoctorFinding> {
  const name = 'run folders'
  const known = async (ids: readonly string[]): Promise<string[]> =>
    database
      .knex('agent_runs')
      .whereRaw('id::text = any(?)', [[...ids]])
      .pluck('id')
  const found = await findRunLeftovers(join(home, 'runs'), known)
  if (found.length === 0)
    return {
      name,
      ok: true,
      message: 'each belongs to a run that is known',
      advice: null,
      repaired: false,
    }
  if (repair) await removeRunLeftovers(found)
  return {
    name,
    ok: repair,
    message: list('folder', found, (leftover) => leftover.path),
    advice: repair ? null : ADVICE,
    repaired: repair,
  }
}
