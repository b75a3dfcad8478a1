import { lstat, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { EXCLUDE_BYTES, readExcludes } from './excludes.ts'
import { locateProject, type Place, treeSettings } from './inspect.ts'
import {
  type ProjectLayout,
  personObjects,
  privateDir,
  projectLayout,
  targetRef,
  writeWhole,
} from './layout.ts'
import { GitFailure, GitProblem } from './problem.ts'
import type { Queue } from './queue.ts'
import { readRegularText } from './read-regular.ts'
import { checkBranchName, hasCommit, readRef, setRef } from './refs.ts'
import { type GitRunner, quotePath } from './run.ts'
import { checkEnds, followShallow } from './shallow.ts'
import { moveToTrash } from './slots.ts'

export interface GitDeps {
  git: GitRunner
  queue: Queue
  home: string
  log: (message: string, data?: Record<string, unknown>) => void
  /** Keeps what agents changed in a project's sandbox hub; awaited before it is put back. */
  onTampered: (projectId: string, files: readonly string[]) => Promise<void>
}

/** As lines of a config file: each `git config` is a process. */
const SHARED_SETTINGS = `[gc]
\tauto = 0
[checkout]
\tworkers = 2
[core]
\tlogAllRefUpdates = false
`
/** Agents commit here with plain git; without a name git would refuse them. What they committed is to outlast the machine. */
const SANDBOX_SETTINGS = `${SHARED_SETTINGS}\tfsync = committed
\tfsyncMethod = batch
[user]
\tname = Dispatch
\temail = dispatch@localhost
`

/** In the project's folder of hubs: the sandbox hub's config as it was made. */
const SANDBOX_CONFIG = 'sandbox.config'

/** More than the sandbox hub's config and alternates hold as we write them. */
const OWN_BYTES = 100_000

/** Without these git takes the sandbox hub for no repository. */
const FOLDERS = ['objects', 'refs']

const isFile = (path: string) =>
  stat(path).then(
    (info) => info.isFile(),
    () => false,
  )

async function initBare(
  git: GitRunner,
  path: string,
  objectFormat: string,
  settings: string,
): Promise<void> {
  await privateDir(path)
  await git.run(
    [
      'init',
      '-q',
      '--bare',
      '--template=',
      '--initial-branch=main',
      `--object-format=${objectFormat}`,
      path,
    ],
    { cwd: path },
  )
  const config = join(path, 'config')
  const made = await readFile(config, 'utf8')
  if (!made.endsWith(settings)) await writeWhole(config, `${made}${settings}`)
}

/** An empty bare repository of ours: its config is what runs when we look at a working tree that has no hub yet. */
export async function ensureNeutral(deps: GitDeps, objectFormat: string): Promise<string> {
  const path = join(deps.home, 'hubs', `neutral-${objectFormat}.git`)
  await deps.queue.run(path, async () => {
    if (await isFile(join(path, 'dispatch-ready'))) return
    await initBare(deps.git, path, objectFormat, SHARED_SETTINGS)
    await writeWhole(join(path, 'dispatch-ready'), '')
  })
  return path
}

/** Throws `hub_gone` where a project's clean hub was deleted: with it went the branches that were nowhere else. */
export async function requireHub({ clean }: ProjectLayout): Promise<void> {
  if (await stat(clean).catch(() => undefined)) return
  throw new GitProblem(
    'hub_gone',
    `Dispatch's own copy of the repository, ${clean}, is gone, and with it what this goal had not merged.`,
    'File the goal again: dispatch goal "<text>".',
  )
}

/** Creates the clean and the sandbox hub of a project; again is a no-op. */
export async function ensureHubs(
  deps: GitDeps,
  input: { projectId: string; repoPath: string },
): Promise<ProjectLayout> {
  const layout = projectLayout(deps.home, input.projectId)
  await deps.queue.run(layout.clean, async () => {
    if (await isFile(join(layout.hubs, 'ready'))) return
    const { git } = deps
    // of hubs that were there before nothing holds
    for (const hub of [layout.clean, layout.sandbox]) git.forget(hub)
    const { objectFormat } = await locateProject(git, input.repoPath)
    await initBare(git, layout.clean, objectFormat, SHARED_SETTINGS)
    await initBare(git, layout.sandbox, objectFormat, SANDBOX_SETTINGS)
    await writeWhole(
      join(layout.sandbox, 'objects', 'info', 'alternates'),
      `${quotePath(join(layout.clean, 'objects'))}\n`,
    )
    await writeWhole(
      join(layout.hubs, SANDBOX_CONFIG),
      await readFile(join(layout.sandbox, 'config'), 'utf8'),
    )
    await privateDir(layout.worktrees)
    await writeWhole(join(layout.hubs, 'ready'), '')
  })
  return layout
}

/**
 * Where a project's repository is, as `locateProject` tells it. Throws `other_format` where another one was put in its place whose objects are named in
 * another way: of the hub's it would only be broken.
 */
export async function locateOwn(
  { git }: GitDeps,
  { clean }: ProjectLayout,
  { repoPath, branch }: { repoPath: string; branch?: string },
): Promise<Place> {
  const place = await locateProject(git, repoPath, branch)
  const config = (await readText(join(clean, 'config'))) ?? ''
  const format = /^\s*objectformat = (\w+)$/m.exec(config)?.[1] ?? 'sha1'
  if (place.objectFormat === format) return place
  throw new GitProblem(
    'other_format',
    `Another repository is in ${repoPath} now: its commits are named by ${place.objectFormat}, and those of this project by ${format}.`,
    'Put the right one back; for the new one, remove the project and add it again (dispatch projects remove, dispatch projects add).',
  )
}

/**
 * Puts back what agents may have changed in the sandbox hub: its config, no hooks, and what makes it a repository, for all that was published is
 * in the clean hub. What had changed is told before, so that no kill loses it. Our own calls are safe without it; it keeps the hub usable and
 * says who should be looked at (facts T17).
 */
export async function restoreSandbox(deps: GitDeps, layout: ProjectLayout): Promise<void> {
  const wanted = await ownSandboxConfig(layout)
  if (wanted === undefined) return
  const own = [
    { name: 'config', content: wanted },
    { name: 'objects/info/alternates', content: `${quotePath(join(layout.clean, 'objects'))}\n` },
    { name: 'HEAD', content: 'ref: refs/heads/main\n' },
  ]
  const at = (name: string) => join(layout.sandbox, name)
  const read = await Promise.all(own.map(({ name }) => readRegularText(at(name), OWN_BYTES)))
  const spoilt = own.filter(({ content }, index) => read[index] !== content)
  const names = ['hooks', 'info/attributes', 'config.worktree', 'commondir']
  const there = await Promise.all(names.map((name) => lstat(at(name)).catch(() => undefined)))
  const foreign = names.filter((_, index) => there[index])
  const folders = await Promise.all(FOLDERS.map((name) => lstat(at(name)).catch(() => undefined)))
  const lost = FOLDERS.filter((_, index) => !folders[index]?.isDirectory())
  const changed = [...spoilt.map(({ name }) => name), ...lost, ...foreign]
  if (changed.length === 0) return
  await deps.onTampered(layout.projectId, changed)
  for (const name of lost) {
    await moveToTrash(layout, at(name))
    await privateDir(at(name))
  }
  for (const { name, content } of spoilt) {
    await rm(at(name), { force: true, recursive: true })
    await writeWhole(at(name), content)
  }
  for (const name of foreign) await moveToTrash(layout, at(name))
  deps.git.forget(layout.sandbox)
  if (lost.length > 0) await refill(deps, layout)
  deps.log('an agent changed the sandbox hub; put back', { changed })
}

/** The config of the sandbox hub as we wrote it; undefined where there are no hubs. Deleted, it is made again: it is the clean hub's but for our settings. */
async function ownSandboxConfig({ hubs, clean }: ProjectLayout): Promise<string | undefined> {
  const path = join(hubs, SANDBOX_CONFIG)
  const kept = await readText(path)
  if (kept !== undefined) return kept
  const like = await readText(join(clean, 'config'))
  if (!like?.endsWith(SHARED_SETTINGS)) return undefined
  const made = `${like.slice(0, -SHARED_SETTINGS.length)}${SANDBOX_SETTINGS}`
  await writeWhole(path, made)
  return made
}

const readText = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })

/** A sandbox hub that lost its objects or refs: what it has of the clean hub, and no ref to what is not there any more, at which git would stop. */
async function refill({ git }: GitDeps, { clean, sandbox }: ProjectLayout): Promise<void> {
  for (const name of ['shallow', 'info/exclude'])
    if (
      (await isFile(join(clean, name))) &&
      !(await lstat(join(sandbox, name)).catch(() => undefined))
    )
      await writeWhole(join(sandbox, name), await readFile(join(clean, name), 'utf8'))
  const listed = await git.text(['for-each-ref', '--format=%(objectname) %(refname)'], {
    gitDir: sandbox,
  })
  for (const line of listed.split('\n').filter(Boolean)) {
    const [sha = '', ref = ''] = line.split(' ')
    if (!(await git.look(sandbox, sha)))
      await git.run(['update-ref', '-d', ref], { gitDir: sandbox })
  }
}

/**
 * Brings a commit and its history from another object directory into a hub of ours, by pack file and without any transport:
 * no config of the other side is read, and every object is hashed again on arrival.
 */
export async function bringCommit(
  deps: GitDeps,
  to: string,
  from: { objects: string; sha: string; strict: boolean },
): Promise<void> {
  const { git } = deps
  if (await hasCommit(git, to, from.sha)) return
  const haves = (await git.text(['for-each-ref', '--format=^%(objectname)'], { gitDir: to }))
    .split('\n')
    .filter(Boolean)
  const input = `${[from.sha, ...new Set(haves)].join('\n')}\n`
  const pack = ['pack-objects', '--revs', '--stdout', '-q', '--delta-base-offset']
  const index = ['index-pack', '--stdin', ...(from.strict ? ['--strict'] : [])]
  const bring = () =>
    git.pipe(pack, { gitDir: to, alternates: [from.objects], input }, index, { gitDir: to })
  try {
    await leavingNoRest(join(to, 'objects'), bring)
  } catch (error) {
    if (
      error instanceof GitFailure &&
      /bad object|missing|unable to read|Could not read|revision walk setup failed/.test(
        error.message,
      )
    )
      throw new GitProblem(
        'incomplete_repository',
        `Objects of commit ${from.sha.slice(0, 12)} are missing.`,
        'If this is a partial clone, fetch everything first: `git fetch --refetch --no-filter`; otherwise run `git fsck`.',
      )
    throw error
  }
  if (!(await hasCommit(git, to, from.sha)))
    throw new GitProblem(
      'commit_missing',
      `Commit ${from.sha.slice(0, 12)} did not arrive.`,
      'Run `git fsck` in the repository.',
    )
}

/** Sends a commit of the clean hub into a person's repository: objects only, no ref. */
export async function sendCommit(
  deps: GitDeps,
  layout: ProjectLayout,
  to: { commonDir: string; sha: string; haves: readonly string[] },
): Promise<void> {
  const { commonDir } = to
  const settings = await treeSettings(deps.git, { gitDir: commonDir, commonDir })
  await checkEnds(deps.git, layout, to)
  const input = `${[to.sha, ...to.haves.map((sha) => `^${sha}`)].join('\n')}\n`
  await leavingNoRest(join(commonDir, 'objects'), () =>
    deps.git.pipe(
      ['pack-objects', '--revs', '--stdout', '-q', '--delta-base-offset'],
      { gitDir: layout.clean, input },
      ['index-pack', '--stdin'],
      { ...personObjects(layout, commonDir), settings },
    ),
  )
}

/**
 * Git leaves what it wrote of a pack for which the disk had no room: what is freed would be full again with the next try. Whoever else writes one
 * there at that time fails as well.
 */
async function leavingNoRest(objects: string, work: () => Promise<void>): Promise<void> {
  const folder = join(objects, 'pack')
  const rests = async () =>
    (await readdir(folder).catch(() => [])).filter((name) => name.startsWith('tmp_'))
  const others = await rests()
  try {
    await work()
  } catch (error) {
    if (error instanceof GitProblem && error.code === 'disk_full')
      for (const name of (await rests()).filter((rest) => !others.includes(rest)))
        await rm(join(folder, name), { force: true })
    throw error
  }
}

/**
 * Brings the target branch's current head into the clean hub and returns its sha. `at`: where the repository was found
 * before. Throws `target_missing`.
 */
export async function importTarget(
  deps: GitDeps,
  input: { projectId: string; repoPath: string; target: string },
  at?: { commonDir: string; head?: string },
): Promise<string> {
  checkBranchName(input.target)
  const layout = await ensureHubs(deps, input)
  const { repoPath, target: branch } = input
  const place = at ?? (await locateOwn(deps, layout, { repoPath, branch }))
  const { commonDir } = place
  const sha = place.head ?? (await readRef(deps.git, commonDir, `refs/heads/${input.target}`))
  if (sha === undefined)
    throw new GitProblem(
      'target_missing',
      `The target branch ${input.target} does not exist.`,
      `Create it: \`git branch ${input.target}\`.`,
    )
  const bringing = deps.queue.run(layout.clean, async () => {
    await followShallow(deps.git, layout, commonDir)
    await bringCommit(deps, layout.clean, {
      objects: join(commonDir, 'objects'),
      sha,
      strict: false,
    })
    await setRef(deps.git, layout.clean, targetRef(input.target), sha)
  })
  await Promise.all([bringing, storeExcludes(deps, layout, commonDir)])
  return sha
}

/** What the person ignores is ignored in worktrees too: by Dispatch when it commits, and by agents who commit themselves. */
async function storeExcludes(
  { git }: GitDeps,
  layout: ProjectLayout,
  commonDir: string,
): Promise<void> {
  const excludes = await readExcludes(git, commonDir)
  for (const hub of [layout.clean, layout.sandbox]) {
    const info = join(hub, 'info')
    const file = join(info, 'exclude')
    if (((await readRegularText(file, 4 * EXCLUDE_BYTES)) ?? '') === excludes) continue
    // agents can write to the sandbox
    if ((await lstat(info).catch(() => undefined))?.isDirectory() === false) await rm(info)
    await rm(file, { recursive: true, force: true })
    await writeWhole(file, excludes)
  }
}

/** Brings a commit that an agent made into the clean hub. Throws `commit_missing`, or `unsafe_commit` when git finds it malformed. */
export async function publishCommit(
  deps: GitDeps,
  layout: ProjectLayout,
  sha: string,
): Promise<void> {
  if (await hasCommit(deps.git, layout.clean, sha)) return
  const objects = join(layout.sandbox, 'objects')
  const seen = ['cat-file', '-e', `${sha}^{commit}`]
  if (!(await deps.git.succeeds(seen, { gitDir: layout.clean, alternates: [objects] })))
    throw new GitProblem(
      'commit_missing',
      `Commit ${sha.slice(0, 12)} is not there.`,
      'The work may be in a salvage ref: run dispatch doctor.',
    )
  await deps.queue.run(layout.clean, async () => {
    try {
      await bringCommit(deps, layout.clean, { objects, sha, strict: true })
    } catch (error) {
      if (!(error instanceof GitFailure)) throw error
      throw new GitProblem(
        'unsafe_commit',
        `Commit ${sha.slice(0, 12)} was refused: ${error.stderr.trim().slice(0, 500)}`,
        'Retry the stage so that the agent makes it again.',
      )
    }
  })
}
