import { join } from 'node:path'
import type { HomePaths } from '../../config/home.ts'
import { formatUsedTokens } from '../../contracts/figures.ts'
import type { Goal, Review, ReviewSummary } from '../../contracts/schemas.ts'
import type { Deps } from '../command.ts'
import { EXIT } from '../failure.ts'
import { look } from '../format.ts'
import type { Io } from '../io.ts'
import { shellWord } from '../shell-word.ts'
import { oneLine, truncate } from '../terminal-text.ts'
import { type Cast, castOf, type DemoAgent } from './demo-agent.ts'
import type { DemoServer } from './demo-server.ts'
import { createDisplay } from './display.ts'
import { followGoal } from './follow-goal.ts'
import { createKiller } from './kill.ts'
import { programName } from './program-name.ts'
import { createSampleRepository, type SampleRepository, type TestRun } from './sample-repository.ts'

export interface Play {
  agent: DemoAgent
  kill: boolean
  keep: boolean
  folder: string
  home: HomePaths
  env: Record<string, string | undefined>
  server: DemoServer
  deps: Deps
  io: Io
}

const TITLE = 'Finish textkit'
const DESCRIPTION = 'Write the functions that textkit is missing, so that "npm test" passes.'
/** Long enough that the kill meets agents at work; a directive to the demo agent. */
const SLOWLY = ' [demo:implement=slow:4]'

/** The demo on a running server. Returns its exit code, or 'kept' when the last review is left for the person. */
export async function playDemo(play: Play): Promise<number | 'kept'> {
  const { io, deps, server, home } = play
  const cast = await castOf(play.agent, deps)
  const repository = await createSampleRepository(join(play.folder, 'textkit'), play.env)
  io.print(`\n${io.paint('bold', 'A sample repository, and its tests before the work')}`)
  printTests(repository, await repository.runTests(), io)

  const goal = await fileGoal(play, repository, cast)
  const display = createDisplay(io)
  const killer = createKiller({ home, server, deps, display })
  try {
    const ended = await followGoal({
      goalId: goal.id,
      deps,
      display,
      onGoal: play.kill ? killer.onGoal : async () => undefined,
      present: (review) => [...reviewLines(review, io), ...approvalLines(review, io)],
      leave: (review, state) => play.keep && isLast(review, state),
    })
    if (ended.status === 'active') return keep(ended, play)
    if (ended.status !== 'completed') return failed(ended, play)
    display.end()
    return await report({ goal: ended, play, repository, survivors: await killer.survivors() })
  } finally {
    display.end()
  }
}

async function fileGoal(
  { agent, io, deps, kill, server }: Play,
  { path }: SampleRepository,
  { profile, about }: Cast,
) {
  const project = await deps.call('createProject', { body: { path } })
  const goal = await deps.call('createGoal', {
    body: {
      project: project.id,
      title: TITLE,
      description: kill && agent === 'demo' ? DESCRIPTION + SLOWLY : DESCRIPTION,
      profile,
    },
  })
  io.print(`\n${io.paint('bold', `${goal.shortId}: ${TITLE}`)}`)
  io.print(`"${DESCRIPTION}"`)
  io.print(about)
  if (server.temporalUi) io.print(`See it in Temporal: ${server.temporalUi}`)
  io.print()
  return goal
}

function printTests({ path }: SampleRepository, { passed, lines }: TestRun, io: Io) {
  io.print(io.paint('dim', `${path} $ npm test`))
  for (const line of lines) io.print(`  ${io.clean(line)}`)
  io.print(passed ? io.paint('green', '  the tests pass') : io.paint('red', '  the tests FAIL'))
}

/** What waits: title, risk, files, checklist, each item on one line. */
function reviewLines(review: Review, io: Io): string[] {
  const line = (text: string) => truncate(oneLine(text), (io.tty ? io.columns : 110) - 4)
  const about = `${review.kind} review, ${review.risk} risk, tier ${review.tier}: ${review.reason}`
  const spec = review.spec?.content
  const tasks = spec && 'tasks' in spec ? spec.tasks.map(({ title }) => `task: ${title}`) : []
  const files = review.files.map((file) => `${file.path} +${file.additions} -${file.deletions}`)
  const checklist = review.checklist.map(({ result, text }) => `${result} · ${text}`)
  return [
    '',
    io.paint('yellow', `? ${review.shortId} waits for a person: ${oneLine(review.title)}`),
    ...[about, ...tasks, ...files, ...checklist].map((text) => `  ${line(text)}`),
  ]
}

const approvalLines = ({ shortId }: Review, io: Io) => [
  io.paint(
    'yellow',
    `  The demo approves ${shortId} on your behalf. In your own work you do: dispatch approve ${shortId}`,
  ),
  '',
]

/** The review of the last task: those of all others are approved. */
function isLast({ kind, taskId }: ReviewSummary, { tasks, reviews }: Goal): boolean {
  if (kind === 'spec') return false
  const approved = reviews.filter(({ status }) => status === 'approved')
  return tasks.every(({ id }) => id === taskId || approved.some((other) => other.taskId === id))
}

async function keep(goal: Goal, { io, deps, folder, home, server }: Play): Promise<'kept'> {
  const waiting = goal.reviews.find(({ status }) => status === 'pending') as ReviewSummary
  const review = await deps.call('getReview', { params: { id: waiting.id } })
  const program = programName(deps.cwd)
  const at = `--home ${shellWord(home.root)}`
  for (const line of reviewLines(review, io)) io.print(line)
  io.print()
  io.print(io.paint('bold', `It goes on running, and ${review.shortId} waits for you:`))
  io.print(`  look     ${server.url}`)
  io.print(`  read     ${program} diff ${review.shortId} ${at}`)
  io.print(`  approve  ${program} approve ${review.shortId} ${at}`)
  io.print(`  watch    ${program} goal watch ${goal.shortId} ${at}`)
  io.print(`  stop     ${program} stop ${at} && rm -rf ${shellWord(folder)}`)
  if (io.json) io.document({ kept: folder, url: server.url, review: review.shortId })
  return 'kept'
}

function failed(goal: Goal, { io }: Play): number {
  io.print(
    io.paint('red', `\n${goal.shortId} ${look(goal.status).word}: ${io.clean(goal.reason ?? '')}`),
  )
  for (const stage of goal.stages.filter(({ reason }) => reason))
    io.print(`  ${stage.stage}: ${io.clean(stage.reason ?? '')}`)
  return EXIT.error
}

async function report(options: {
  goal: Goal
  play: Play
  repository: SampleRepository
  survivors: string[]
}): Promise<number> {
  const { goal, play, repository, survivors } = options
  const { io } = play
  const title = (text: string) => io.print(`\n${io.paint('bold', text)}`)
  const commit = goal.mergedCommit ?? ''
  const elapsed = (Date.parse(goal.updatedAt) - Date.parse(goal.createdAt)) / 1000
  title(
    `${goal.shortId} is merged into ${goal.targetBranch}: ${elapsed.toFixed(1)} s, ${formatUsedTokens(goal.usage)} tokens`,
  )
  for (const line of await repository.describe(commit)) io.print(`  ${io.clean(line)}`)
  io.print(io.paint('dim', '\n$ git log --graph'))
  for (const line of await repository.history()) io.print(`  ${io.clean(line)}`)
  io.print()
  const tests = await repository.runTests()
  printTests(repository, tests, io)

  const { file, isUntouched } = repository.uncommitted
  title('What survived')
  io.print(
    `  your edit of ${file}, never committed: ${isUntouched() ? 'every byte as before' : 'CHANGED'}`,
  )
  for (const line of survivors) io.print(`  ${line}`)
  if (!play.kill) io.print('  (add --kill to see the worker and Temporal killed in the middle)')
  printRealUse(play)
  const ok = tests.passed && isUntouched()
  if (io.json) io.document({ ok, commit, goal })
  return ok ? EXIT.ok : EXIT.error
}

function printRealUse({ io }: Play) {
  const installed = programName() === 'dispatch'
  const lines: [string, string][] = [
    [
      installed ? 'dispatch start' : 'npm start',
      'in a terminal of its own; prints the address of the UI',
    ],
    ...(installed
      ? []
      : [[`alias dispatch="${programName()}"`, 'in a second terminal'] as [string, string]]),
    ['cd <your repository>', ''],
    ['dispatch projects add .', 'once'],
    ['dispatch goal "what should exist" --watch', 'by your own agents'],
    ['dispatch diff R-2; dispatch approve R-2', 'what waits for you: dispatch reviews'],
  ]
  io.print(`\n${io.paint('bold', 'For real')}`)
  for (const [command, about] of lines) io.print(`  ${command.padEnd(58)} ${about}`.trimEnd())
  io.print(
    '  (which agents are found: dispatch adapters; --profile Demo plays it with the demo agent)',
  )
}
