import { NETWORKS, SANDBOXES } from '../../contracts/agent.ts'
import type { Project } from '../../contracts/schemas.ts'
import { defineCommand, PAGE_OPTIONS } from '../command.ts'
import { CliFailure, EXIT, usageFailure } from '../failure.ts'
import { gitRoot } from '../git-root.ts'
import type { Io } from '../io.ts'
import { pageQuery, printPage } from '../page.ts'
import { pathNamed, projectNamed } from '../target.ts'
import { oneLine } from '../terminal-text.ts'

const ONE = { required: true, help: 'a project: id, name or path' } as const

export const projects = defineCommand({
  name: 'projects',
  summary: 'List projects',
  prints: { replies: ['listProjects'] },
  args: {},
  options: PAGE_OPTIONS,
  examples: ['dispatch projects'],
  async run({ limit, cursor }, deps, io) {
    const page = await deps.call('listProjects', { query: pageQuery({ limit, cursor }) })
    return printPage(io, page, {
      none: 'No projects. Add one: dispatch projects add <path>',
      columns: [
        { title: 'PROJECT' },
        { title: 'NAME' },
        { title: 'BRANCH' },
        { title: 'TRUSTED' },
        { title: 'CHECKS', flexible: true },
        { title: 'PATH', flexible: true },
      ],
      row: (project) => [
        project.shortId,
        project.name,
        project.defaultBranch,
        project.trusted ? 'yes' : 'no',
        project.checks.map(({ name }) => name).join(', '),
        project.path,
      ],
    })
  },
})

export const projectsAdd = defineCommand({
  name: 'projects add',
  summary: 'Register a git repository and trust it: its own scripts (such as npm test) run as you',
  prints: { replies: ['createProject'] },
  args: { path: { help: 'the repository (the one you are in)' } },
  options: {
    name: { type: 'string', help: "name (the folder's)" },
    branch: {
      type: 'string',
      help: "what goals merge into (origin's default, main, master or else the one checked out)",
    },
    profile: { type: 'string', help: 'pipeline profile, by name or id' },
    'no-trust': { type: 'boolean', help: 'register it, but let no goal run there yet' },
    sandbox: { type: 'string', value: 'kind', help: `of its agents: ${SANDBOXES.join(' or ')}` },
    network: { type: 'string', value: 'what', help: `in a sandbox: ${NETWORKS.join(', ')}` },
  },
  examples: ['dispatch projects add .', 'dispatch projects add ~/src/shop --sandbox bwrap'],
  async run({ path, name, branch, profile, 'no-trust': noTrust, sandbox, network }, deps, io) {
    const here = pathNamed(path ?? '.', deps.cwd)
    const folder = path === undefined ? (gitRoot(here) ?? here) : here
    const project = await deps.call('createProject', {
      body: {
        path: folder,
        ...(name ? { name } : {}),
        ...(branch ? { defaultBranch: branch } : {}),
        ...(profile ? { profile } : {}),
        ...(noTrust ? { trusted: false } : {}),
        ...sandboxBody(sandbox, network),
      },
    })
    if (io.json) io.document(project)
    io.print(`${project.shortId}\t${oneLine(project.name)}\t${oneLine(project.path)}`)
    for (const note of project.notes ?? []) io.note(io.clean(note))
    if (network !== undefined) noteWithoutSandbox(project, io)
    io.note(
      `Goals there merge into ${io.clean(project.defaultBranch)}, unless filed with another --target.`,
    )
    if (project.trusted) io.note('File a goal there: dispatch goal "…"')
    else io.note(`Look at it, then trust it: dispatch projects trust ${project.shortId}`)
    return EXIT.ok
  },
})

/** The two options as the API takes them. */
function sandboxBody(sandbox: string | undefined, network: string | undefined) {
  const kind = sandbox === undefined ? undefined : SANDBOXES.find((each) => each === sandbox)
  const reach = network === undefined ? undefined : NETWORKS.find((each) => each === network)
  if (kind === undefined && sandbox !== undefined)
    throw usageFailure(`A sandbox cannot be "${sandbox}": it is ${SANDBOXES.join(' or ')}.`)
  if (reach === undefined && network !== undefined)
    throw usageFailure(`A network cannot be "${network}": it is ${NETWORKS.join(', ')}.`)
  return { ...(kind ? { sandbox: kind } : {}), ...(reach ? { network: reach } : {}) }
}

/** A network that was asked for keeps nobody from anything there. */
function noteWithoutSandbox({ sandbox, shortId }: Project, io: Io): void {
  if (sandbox !== 'none') return
  io.note(
    `Its agents reach everything, for it has no sandbox: dispatch projects sandbox ${shortId} bwrap`,
  )
}

export const projectsSandbox = defineCommand({
  name: 'projects sandbox',
  summary:
    "Shut a project's agents in, or say how: they see its worktree and nothing else of yours",
  prints: { replies: ['getProject'] },
  args: {
    project: ONE,
    sandbox: { help: SANDBOXES.join(' or ') },
  },
  options: {
    network: {
      type: 'string',
      value: 'what',
      help: 'none, agent (its model and login) or all (any machine but this one)',
    },
  },
  examples: [
    'dispatch projects sandbox P-2',
    'dispatch projects sandbox P-2 bwrap',
    'dispatch projects sandbox P-2 bwrap --network none',
  ],
  async run({ project: named, sandbox, network }, deps, io) {
    const params = { id: projectNamed(named, deps.cwd) }
    const body = sandboxBody(sandbox, network)
    const project =
      Object.keys(body).length === 0
        ? await deps.call('getProject', { params })
        : await deps.call('updateProject', { params, body })
    if (io.json) io.document(project)
    const { shortId, name, sandbox: kind, network: reach } = project
    io.print(
      `${shortId}\t${oneLine(name)}\t${kind === 'none' ? 'none' : `${kind}, network ${reach}`}`,
    )
    if (network !== undefined) noteWithoutSandbox(project, io)
    return EXIT.ok
  },
})

export const projectsTrust = defineCommand({
  name: 'projects trust',
  summary: "Let goals run in a project: agents and the repository's own scripts run as you",
  prints: { replies: ['updateProject'] },
  args: { project: ONE },
  options: {},
  examples: ['dispatch projects trust P-2', 'dispatch projects trust .'],
  async run({ project: named }, deps, io) {
    const project = await deps.call('updateProject', {
      params: { id: projectNamed(named, deps.cwd) },
      body: { trusted: true },
    })
    if (io.json) io.document(project)
    io.print(`${project.shortId}\t${oneLine(project.name)}\ttrusted`)
    return EXIT.ok
  },
})

export const projectsRemove = defineCommand({
  name: 'projects remove',
  summary:
    'Forget a project whose goals are over; its repository and what is known of its goals stay',
  prints: { replies: ['deleteProject'] },
  args: { project: ONE },
  options: { yes: { type: 'boolean', short: 'y', help: 'do not ask' } },
  examples: ['dispatch projects remove P-2'],
  async run({ project: named, yes }, deps, io) {
    const { id, shortId, name, path } = await deps.call('getProject', {
      params: { id: projectNamed(named, deps.cwd) },
    })
    const stays = `${oneLine(path)} is not touched; the history and the branches of its goals stay.`
    if (io.interactive && !yes) {
      io.note(stays)
      if (!(await io.confirm(`Forget ${shortId} "${oneLine(name)}"?`)))
        throw new CliFailure('refused', 'declined', `${shortId} was not removed.`)
    }
    const gone = await deps.call('deleteProject', { params: { id } })
    if (io.json) io.document(gone)
    io.print(`${shortId}\t${oneLine(name)}\tremoved`)
    if (!io.interactive || yes) io.note(stays)
    return EXIT.ok
  },
})

export const projectsConventions = defineCommand({
  name: 'projects conventions',
  summary: 'Show or set what every agent of a project is told besides the repository’s own files',
  prints: { fields: ['id', 'conventions'] },
  args: { project: ONE },
  options: {
    set: {
      type: 'string',
      value: 'text',
      mayBeEmpty: true,
      help: 'the conventions, as Markdown ("-": stdin, "": none)',
    },
  },
  examples: [
    'dispatch projects conventions P-2',
    'dispatch projects conventions P-2 --set "Use tabs."',
  ],
  async run({ project: named, set }, deps, io) {
    const params = { id: projectNamed(named, deps.cwd) }
    const conventions = set === '-' ? await io.readAll() : set
    const project =
      conventions === undefined
        ? await deps.call('getProject', { params })
        : await deps.call('updateProject', { params, body: { conventions } })
    if (io.json) io.document({ id: project.id, conventions: project.conventions })
    if (project.conventions !== '') io.print(io.clean(project.conventions))
    else
      io.note(
        `${project.shortId} has none: dispatch projects conventions ${project.shortId} --set "…"`,
      )
    return EXIT.ok
  },
})
