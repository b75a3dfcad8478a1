import { isAbsolute, join } from 'node:path'
import { chooseProgram, pathWith, whyNotStarted } from '../adapters/find-program.ts'
import { type AgentSearch, findAdapter } from '../adapters/registry.ts'
import type { RunSpec } from '../contracts/agent.ts'
import { PATH_SETTINGS } from '../contracts/default-settings.ts'
import { readSettings } from '../db/settings.ts'
import type { ActivityDeps } from './deps.ts'

type SearchDeps = Pick<ActivityDeps, 'database' | 'environment' | 'home'>

/** Where agents' programs are looked for: as the settings say, and never where agents themselves can write. */
export async function agentSearch({
  database: { knex },
  environment,
  home,
}: SearchDeps): Promise<AgentSearch> {
  const [settings, projects] = await Promise.all([
    readSettings(knex),
    knex('projects').whereNull('removed_at').pluck('path'),
  ])
  const paths = Object.entries(PATH_SETTINGS).map(([adapter, key]) => [adapter, settings[key]])
  const ours = ['worktrees', 'hubs', 'runs'].map((folder) => join(home, folder))
  return { env: environment, paths: Object.fromEntries(paths), projects: [...projects, ...ours] }
}

/** Why the program at a path would not be started for a run; undefined when it would. */
export async function programProblem(deps: SearchDeps, path: string): Promise<string | undefined> {
  return whyNotStarted(path, await agentSearch(deps))
}

type Program = Pick<RunSpec, 'binary' | 'refused'> & { path?: string }

/**
 * The program for a run, looked for anew each time: what detection stored may be old by now. `path` is the PATH that the program needs, where
 * it is another than the worker's. Nothing for adapters that bring their own program.
 */
export async function programOf(
  deps: SearchDeps & Pick<ActivityDeps, 'acpAgents'>,
  name: string,
): Promise<Program> {
  const program = (await findAdapter(name, deps.acpAgents))?.program
  if (program === undefined) return {}
  const { paths, ...search } = await agentSearch(deps)
  const path = paths[name] || (isAbsolute(program) ? program : undefined)
  const { chosen, problem } = chooseProgram(program, { ...search, path })
  if (chosen) return { binary: chosen.path, path: pathWith(chosen.path, deps.environment['PATH']) }
  return problem === undefined ? {} : { refused: problem }
}
