import type { Body } from '../../contracts/api.ts'
import { parseId } from '../../contracts/ids.ts'
import type { GoalSummary } from '../../contracts/schemas.ts'
import { type Deps, defineCommand } from '../command.ts'
import { CliFailure, EXIT, problemBody, usageFailure } from '../failure.ts'
import { checkedOutBranch, gitRoot } from '../git-root.ts'
import type { Io } from '../io.ts'
import { shellWord } from '../shell-word.ts'
import { projectNamed, whereYouAre } from '../target.ts'
import { tokenCount } from '../token-count.ts'
import { watchGoal } from '../watch.ts'
import { whoWorks } from '../who-works.ts'

export const goal = defineCommand({
  name: 'goal',
  summary: 'File a goal: say what should exist',
  prints: { replies: ['createGoal', 'getGoal', 'listEvents'] },
  args: { text: { required: true, help: 'what should exist, or "-" to read it from stdin' } },
  options: {
    project: { type: 'string', help: 'id, name or path (the repository you are in)' },
    profile: { type: 'string', help: 'pipeline profile, by name or id' },
    target: {
      type: 'string',
      value: 'branch',
      help: "branch to merge into (the project's default)",
    },
    title: { type: 'string', help: 'short title (made from the text)' },
    budget: {
      type: 'string',
      value: 'tokens',
      help: 'tokens of the whole goal, such as 2m; 0 is unlimited',
    },
    'task-budget': {
      type: 'string',
      value: 'tokens',
      help: 'tokens of each of its tasks, such as 200k; 0 is unlimited',
    },
    'skip-spec-review': { type: 'boolean', help: 'approve the spec without asking' },
    watch: {
      type: 'boolean',
      short: 'w',
      help: 'watch it until it ends or needs attention; reviews that wait do not end it',
    },
  },
  examples: [
    'dispatch goal "Build auth module"',
    'dispatch goal "Build auth module" --profile Demo --watch',
    'dispatch goal - --title "Import of invoices" < wish.md',
  ],
  handlesInterrupt: true,
  async run(options, deps, io) {
    const id = parseId(options.text)
    if (id)
      throw usageFailure(
        `"${options.text}" is the id of something, not a goal's text.`,
        `Did you mean dispatch goal show ${options.text}?`,
      )
    const description = options.text === '-' ? await readDescription(io) : options.text
    const body: Body<'createGoal'> = {
      project: options.project
        ? projectNamed(options.project, deps.cwd)
        : currentRepository(whereYouAre(deps.cwd)),
      description,
      ...(options.title ? { title: options.title } : {}),
      ...(options.profile ? { profile: options.profile } : {}),
      ...(options.target ? { targetBranch: options.target } : {}),
      ...(options.budget ? { goalBudget: tokenCount('--budget', options.budget) } : {}),
      ...(options['task-budget']
        ? { tokenBudget: tokenCount('--task-budget', options['task-budget']) }
        : {}),
      ...(options['skip-spec-review'] ? { skipSpecReview: true } : {}),
    }
    const filed = await file(body, deps, io)
    if (io.json) io.document(filed, { line: options.watch })
    io.print(`${io.paint('bold', filed.shortId)}\t${io.clean(filed.title)}`)
    io.note(io.clean(mergesInto(filed.targetBranch, body, deps.cwd)))
    if (!io.json) for (const line of await whoWorks(filed.id, deps)) io.note(io.clean(line))
    if (options.watch) return watchGoal(filed.id, deps, io)
    io.note(`Watch it: dispatch goal watch ${filed.shortId}`)
    return EXIT.ok
  },
})

/** Where its work goes, which need not be the branch that is checked out where the person is. */
function mergesInto(target: string, asked: Body<'createGoal'>, cwd?: string): string {
  const root = cwd !== undefined && asked.targetBranch === undefined ? gitRoot(cwd) : undefined
  const here = root !== undefined && root === asked.project ? checkedOutBranch(root) : undefined
  if (here === undefined || here === target) return `It merges into ${target}.`
  return `It merges into ${target} (you are on ${here}): to merge there instead, file it with --target ${here}.`
}

/** A first goal in a repository that Dispatch does not know yet: asks to add it, or says how. */
async function file(body: Body<'createGoal'>, deps: Deps, io: Io): Promise<GoalSummary> {
  try {
    return await deps.call('createGoal', { body })
  } catch (error) {
    const isPath = body.project.startsWith('/')
    if (!isPath || problemBody(error)?.code !== 'project_unknown') throw error
    const unknown = new CliFailure(
      'notFound',
      'project_unknown',
      `${body.project} is not a project yet.`,
      `Add it: dispatch projects add ${shellWord(body.project)}`,
    )
    if (!io.interactive) throw unknown
    if (!(await io.confirm(`${io.clean(body.project)} is not a project yet. Add it?`)))
      throw unknown
    await deps.call('createProject', { body: { path: body.project } })
    return deps.call('createGoal', { body })
  }
}

async function readDescription(io: Io): Promise<string> {
  const text = await io.readAll()
  if (text.trim() === '') throw usageFailure('stdin was empty: there is no text for the goal.')
  if (text.includes('\u0000') || text.includes('\ufffd'))
    throw usageFailure('stdin is not text in UTF-8.', 'Give the goal as plain text.')
  return text
}

function currentRepository(cwd: string): string {
  const root = gitRoot(cwd)
  if (root) return root
  throw usageFailure(
    `${cwd} is not in a git repository, so the goal has no project.`,
    'Change to your repository, or name it: --project <path>',
  )
}
