import { mkdirSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { commitAll, freeze, publish } from './commit.ts'
import { snapshotConfig } from './config-snapshot.ts'
import { provisionDependencies } from './dependencies.ts'
import { diff, diffHash } from './diff.ts'
import { repair, type ScanInput, scan } from './doctor.ts'
import { exportBranch } from './export-branch.ts'
import { createHostedProcesses } from './hosted-processes.ts'
import { ensureHubs, ensureNeutral, type GitDeps, importTarget } from './hubs.ts'
import { checkMergeTarget, inspectRepository } from './inspect.ts'
import {
  branchHead,
  createGoalBranch,
  integrateTask,
  prepareConflict,
  rebaseTask,
} from './integrate.ts'
import { projectLayout } from './layout.ts'
import { mergeGoal } from './merge-goal.ts'
import { goalCommits, previewMerge } from './merge-onto.ts'
import { createQueue } from './queue.ts'
import { fileAt, treeOf } from './refs.ts'
import { createGitRunner } from './run.ts'
import { claimWorktree, type ReleaseInput, releaseWorktree, warm, worktreeOf } from './worktrees.ts'

export interface GitOptions {
  /** DISPATCH_HOME. */
  home: string
  /** PATH on which git is found; a list of usual places when left out. */
  path?: string
  /** Where the person's own git config is; the user's home when left out. */
  personHome?: string
  /** Of what is written in a person's repository; this process's own when left out. */
  umask?: number | undefined
  log?: GitDeps['log']
  onTampered?: GitDeps['onTampered']
  /** The built git host, for a process that is large or has other things to do; without it, git is started by this one. */
  host?: string
}

/**
 * Everything Dispatch does with git: the three repositories, worktrees, diffs, merges. Every operation may be killed
 * anywhere and called again with the same arguments. Throws `GitProblem` where a person can do something about it.
 */
export function createGit(options: GitOptions) {
  mkdirSync(options.home, { recursive: true, mode: 0o700 })
  const home = realpathSync(options.home)
  const log = options.log ?? (() => undefined)
  const git = createGitRunner({
    home,
    personHome: options.personHome ?? homedir(),
    ...(options.path === undefined ? {} : { path: options.path }),
    ...(options.umask === undefined ? {} : { umask: options.umask }),
    ...(options.host === undefined ? {} : { processes: createHostedProcesses(options.host) }),
  })
  const onTampered = options.onTampered ?? (async () => undefined)
  const deps: GitDeps = { git, queue: createQueue(), home, log, onTampered }
  const pending = new Set<Promise<void>>()
  const background = (work: Promise<void>) => {
    const settled: Promise<void> = work
      .catch((error) => log('background work failed', { error: String(error) }))
      .finally(() => pending.delete(settled))
    pending.add(settled)
  }
  const bind =
    <I, O>(operation: (deps: GitDeps, input: I) => Promise<O>) =>
    (input: I): Promise<O> =>
      operation(deps, input)

  return {
    inspectRepository: (path: string, choice: { target?: string } = {}) =>
      inspectRepository(
        { git, home, neutral: (format) => ensureNeutral(deps, format) },
        path,
        choice,
      ),
    checkTarget: (path: string, target: string) => checkMergeTarget({ git, home }, path, target),
    snapshotConfig: (repoPath: string) => snapshotConfig(git, repoPath),
    ensureHubs: async (input: { projectId: string; repoPath: string }): Promise<void> => {
      await ensureHubs(deps, input)
    },
    importTarget: (input: Parameters<typeof importTarget>[1]) => importTarget(deps, input),
    claimWorktree: bind(claimWorktree),
    releaseWorktree: (input: ReleaseInput) => releaseWorktree(deps, input, background),
    worktreeOf: bind(worktreeOf),
    warm: bind(warm),
    /** Warms beside other work: what goes wrong is logged, and the next claim makes its own worktree. */
    keepWarm: (input: Parameters<typeof warm>[1]): void => background(warm(deps, input)),
    provisionDependencies,
    commitAll: bind(commitAll),
    publish: bind(publish),
    freeze: bind(freeze),
    diff: bind(diff),
    /** The hash that `diff` would give, without the rest. */
    diffHash: ({ projectId, base, head }: { projectId: string; base: string; head: string }) =>
      diffHash(git, projectLayout(home, projectId).clean, base, head),
    /** Two commits of one tree hold the same files. */
    treeOf: ({ projectId, commit }: { projectId: string; commit: string }) =>
      treeOf(git, projectLayout(home, projectId).clean, commit),
    /** A file of a commit that is in the clean hub. */
    fileAt: ({ projectId, ...file }: { projectId: string; commit: string; path: string }) =>
      fileAt(git, projectLayout(home, projectId).clean, file),
    createGoalBranch: bind(createGoalBranch),
    branchHead: bind(branchHead),
    integrateTask: bind(integrateTask),
    rebaseTask: bind(rebaseTask),
    prepareConflict: bind(prepareConflict),
    mergeGoal: bind(mergeGoal),
    previewMerge: bind(previewMerge),
    goalCommits: bind(goalCommits),
    exportBranch: bind(exportBranch),
    scan: bind(scan),
    repair: (input: ScanInput) => repair(deps, input, background),
    /** Resolves when the cleaning of released worktrees is done. */
    idle: async (): Promise<void> => {
      while (pending.size > 0) await Promise.all(pending)
    },
    /** Ends the processes that are kept to answer sooner. */
    close: () => git.close(),
  }
}
export type Git = ReturnType<typeof createGit>
