import { join } from 'node:path'
import { Context } from '@temporalio/activity'
import type { Sandbox } from '../contracts/agent.ts'
import type { CheckCommand, CheckResult, NotRun } from '../contracts/schemas.ts'
import { storable } from '../contracts/storable.ts'
import type { GoalFacts } from '../db/facts.ts'
import { readRegularText } from '../git/read-regular.ts'
import { agentEnvironment } from '../runner/environment.ts'
import type { ActivityDeps } from './deps.ts'
import { detectChecks } from './lifecycle.ts'
import { sandboxOf } from './sandbox.ts'
import type { Workspace } from './workspace.ts'

const PACKAGE = 'package.json'
/** More than any package.json with commands in it holds. */
const PACKAGE_BYTES = 1_000_000

const CHECK_SECONDS = 900

/**
 * The project's own checks, run by Dispatch in a worktree of the commit that is judged. They run the project's code, so
 * only a trusted project's are run, where agents run and in an environment built from nothing. Those that are not are told with why.
 */
export async function checkWork(
  deps: ActivityDeps,
  facts: GoalFacts,
  workspace: Workspace,
): Promise<CheckResult[]> {
  const wanted = await wantedChecks(deps, facts, workspace)
  const results: CheckResult[] = []
  const sandbox = sandboxOf(deps, facts, { path: workspace.path, access: 'write' })
  // code that an agent has just written, and no model to talk to
  const alone = sandbox?.network === 'agent' ? { ...sandbox, network: 'none' as const } : sandbox
  for (const { notRun, ...check } of wanted)
    results.push(
      notRun
        ? { ...check, ok: false, exitCode: null, notRun, seconds: 0, output: '' }
        : await runCheck(deps, check, workspace, alone),
    )
  return results
}

/** What is to be run in a worktree: the checks of the settings, or what its files call for, and what the base's did. */
export async function wantedChecks(
  deps: ActivityDeps,
  { project }: Pick<GoalFacts, 'project'>,
  workspace: Workspace,
): Promise<readonly WantedCheck[]> {
  const wanted =
    project.checks.length > 0 ? project.checks : await detected(deps, project.id, workspace)
  return project.trusted ? wanted : wanted.map((check) => ({ ...check, notRun: 'untrusted' }))
}

export type WantedCheck = CheckCommand & { notRun?: NotRun | undefined }

async function detected(
  { git }: ActivityDeps,
  projectId: string,
  { path, base }: Workspace,
): Promise<WantedCheck[]> {
  const [now, before] = await Promise.all([
    readRegularText(join(path, PACKAGE), PACKAGE_BYTES),
    git.fileAt({ projectId, commit: base, path: PACKAGE }),
  ])
  const left = detectChecks(now)
  const gone = detectChecks(before).filter(({ name }) => left.every((one) => one.name !== name))
  return [...left, ...gone.map((check) => ({ ...check, notRun: 'gone' as const }))]
}

const WHY_NOT_RUN: Record<NotRun, string> = {
  untrusted: 'the project is not trusted',
  gone: `${PACKAGE} does not name it any more`,
}

/** How a check went, in words. */
export function endOfCheck({ ok, exitCode, notRun }: CheckResult): string {
  if (notRun) return `was not run: ${WHY_NOT_RUN[notRun]}`
  return ok ? 'passed' : `failed with exit code ${exitCode}`
}

/** Those that were run and failed. */
export const failedChecks = (checks: readonly CheckResult[]) =>
  checks.filter(({ ok, notRun }) => !ok && notRun === undefined)

/** Why checks that nobody ran keep a review from going on by itself. */
export const unrunDoubts = (checks: readonly CheckResult[]) =>
  checks
    .filter(({ notRun }) => notRun !== undefined)
    .map((check) => `the check ${check.name} ${endOfCheck(check)}`)

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
