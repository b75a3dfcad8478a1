import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Context } from '@temporalio/activity'
import { execa } from 'execa'
import type { CheckCommand, CheckResult } from '../contracts/schemas.ts'
import type { GoalFacts } from '../db/facts.ts'
import { agentEnvironment } from '../runner/environment.ts'
import type { ActivityDeps } from './deps.ts'
import { detectChecks } from './lifecycle.ts'
import type { Workspace } from './workspace.ts'

const CHECK_SECONDS = 900
const OUTPUT_BYTES = 20_000

/**
 * The project's own checks, run by Dispatch in a worktree of the commit that is judged. They run the project's code, so
 * only a trusted project's are run, in an environment built from nothing.
 */
export async function checkWork(
  deps: ActivityDeps,
  facts: GoalFacts,
  workspace: Workspace,
): Promise<CheckResult[]> {
  if (!facts.project.trusted) return []
  const wanted = facts.project.checks.length > 0 ? facts.project.checks : await detected(workspace)
  const results: CheckResult[] = []
  for (const check of wanted) results.push(await runCheck(deps, check, workspace))
  return results
}

async function detected(workspace: Workspace): Promise<CheckCommand[]> {
  const text = await readFile(join(workspace.path, 'package.json'), 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return detectChecks(text)
}

async function runCheck(
  deps: ActivityDeps,
  check: CheckCommand,
  workspace: Workspace,
): Promise<CheckResult> {
  const started = performance.now()
  const env = agentEnvironment({
    base: deps.environment,
    tmpdir: deps.environment['TMPDIR'] ?? '/tmp',
    loginVariables: [],
    extra: { CI: 'true' },
  })
  const child = execa('/bin/sh', ['-c', check.command], {
    cwd: workspace.path,
    env,
    extendEnv: false,
    stdin: 'ignore',
    all: true,
    reject: false,
    detached: true,
    maxBuffer: { all: 50_000_000 },
    stripFinalNewline: false,
  })
  const kill = () => {
    // the whole group: a test runner's children must not outlive it
    if (child.pid) process.kill(-child.pid, 'SIGKILL')
  }
  const timer = setTimeout(kill, CHECK_SECONDS * 1000)
  const signal = Context.current().cancellationSignal
  signal.addEventListener('abort', kill, { once: true })
  try {
    const result = await child
    if (signal.aborted) throw signal.reason
    return {
      name: check.name,
      command: check.command,
      ok: result.exitCode === 0,
      exitCode: result.exitCode ?? null,
      seconds: Math.round((performance.now() - started) / 100) / 10,
      output: (result.all ?? '').slice(-OUTPUT_BYTES),
    }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', kill)
  }
}
