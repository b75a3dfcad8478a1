import { join } from 'node:path'
import { Context } from '@temporalio/activity'
import type { Sandbox } from '../contracts/agent.ts'
import type { CheckCommand, CheckResult } from '../contracts/schemas.ts'
import { storable } from '../contracts/storable.ts'
import type { GoalFacts } from '../db/facts.ts'
import { readRegularText } from '../git/read-regular.ts'
import { agentEnvironment } from '../runner/environment.ts'
import type { ActivityDeps } from './deps.ts'
import { detectChecks } from './lifecycle.ts'
import { sandboxOf } from './sandbox.ts'
import type { Workspace } from './workspace.ts'

/** More than any package.json with commands in it holds. */
const PACKAGE_BYTES = 1_000_000

const CHECK_SECONDS = 900

/**
 * The project's own checks, run by Dispatch in a worktree of the commit that is judged. They run the project's code, so
 * only a trusted project's are run, where agents run and in an environment built from nothing.
 */
export async function checkWork(
  deps: ActivityDeps,
  facts: GoalFacts,
  workspace: Workspace,
): Promise<CheckResult[]> {
  const wanted = await wantedChecks(facts, workspace)
  const results: CheckResult[] = []
  const sandbox = sandboxOf(deps, facts, { path: workspace.path, access: 'write' })
  // code that an agent has just written, and no model to talk to
  const alone = sandbox?.network === 'agent' ? { ...sandbox, network: 'none' as const } : sandbox
  for (const check of wanted) results.push(await runCheck(deps, check, workspace, alone))
  return results
}

/** What is run in a worktree: none of a project that is not trusted; else those of the settings, or what its files call for. */
export async function wantedChecks(
  { project }: Pick<GoalFacts, 'project'>,
  workspace: Workspace,
): Promise<readonly CheckCommand[]> {
  if (!project.trusted) return []
  return project.checks.length > 0 ? project.checks : detected(workspace)
}

async function detected(workspace: Workspace): Promise<CheckCommand[]> {
  return detectChecks(await readRegularText(join(workspace.path, 'package.json'), PACKAGE_BYTES))
}

async function runCheck(
  deps: ActivityDeps,
  check: CheckCommand,
  workspace: Workspace,
  sandbox: Sandbox | undefined,
): Promise<CheckResult> {
  const started = performance.now()
  const env = agentEnvironment({
    base: deps.environment,
    tmpdir: deps.environment['TMPDIR'] ?? '/tmp',
    loginVariables: [],
    extra: { CI: 'true' },
  })
  const { exitCode, tookTooLong, output } = await deps.runner.check(
    { command: check.command, cwd: workspace.path, env, seconds: CHECK_SECONDS, sandbox },
    Context.current().cancellationSignal,
  )
  const late = `\n${check.name} took longer than ${CHECK_SECONDS} s and was ended.`
  return storable({
    name: check.name,
    command: check.command,
    ok: exitCode === 0,
    exitCode,
    seconds: Math.round((performance.now() - started) / 100) / 10,
    output: tookTooLong ? output + late : output,
  })
}
