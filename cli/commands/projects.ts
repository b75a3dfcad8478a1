import { resolve } from 'node:path'
import { defineCommand, PAGE_OPTIONS } from '../command.ts'
import { EXIT } from '../failure.ts'
import { gitRoot } from '../git-root.ts'
import { pageQuery, printPage } from '../page.ts'
import { oneLine } from '../terminal-text.ts'

export const projects = defineCommand({
  name: 'projects',
  summary: 'List projects',
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
  summary: 'Register a git repository',
  args: { path: { help: 'the repository (the one you are in)' } },
  options: {
    name: { type: 'string', help: "name (the folder's)" },
    branch: { type: 'string', help: 'default branch (the one that is checked out)' },
    profile: { type: 'string', help: 'pipeline profile, by name or id' },
    trust: { type: 'boolean', help: "run the repository's own scripts and hooks" },
  },
  examples: ['dispatch projects add .', 'dispatch projects add ~/src/shop --name Shop'],
  async run({ path, name, branch, profile, trust }, deps, io) {
    const folder = path === undefined ? (gitRoot(deps.cwd) ?? deps.cwd) : resolve(deps.cwd, path)
    const project = await deps.call('createProject', {
      body: {
        path: folder,
        ...(name ? { name } : {}),
        ...(branch ? { defaultBranch: branch } : {}),
        ...(profile ? { profile } : {}),
        ...(trust ? { trusted: true } : {}),
      },
    })
    if (io.json) io.document(project)
    io.print(`${project.shortId}\t${oneLine(project.name)}\t${oneLine(project.path)}`)
    for (const note of project.notes ?? []) io.note(io.clean(note))
    io.note('File a goal there: dispatch goal "…"')
    return EXIT.ok
  },
})
