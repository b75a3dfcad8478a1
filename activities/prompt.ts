import { join } from 'node:path'
import { STAGE_TITLES } from '../contracts/stages.ts'
import { correctionsOf, type Told } from '../db/corrections.ts'
import type { GoalFacts } from '../db/facts.ts'
import type { RunPurpose } from '../db/runs.ts'
import { type SaidInReview, saidInReviews } from '../db/said-in-reviews.ts'
import { readRegularText } from '../git/read-regular.ts'
import { fenced } from '../prompts/prompts.ts'
import type { AgentWork } from './agent-work.ts'
import { endOfCheck } from './checks.ts'
import { conventionFiles } from './convention-files.ts'
import type { ActivityDeps } from './deps.ts'

/** Files that tell what a project is made of. */
const STACK_FILES: readonly [string, string][] = [
  ['package.json', 'Node.js'],
  ['tsconfig.json', 'TypeScript'],
  ['pyproject.toml', 'Python'],
  ['requirements.txt', 'Python'],
  ['Cargo.toml', 'Rust'],
  ['go.mod', 'Go'],
  ['pom.xml', 'Java (Maven)'],
  ['build.gradle', 'Java (Gradle)'],
  ['Gemfile', 'Ruby'],
  ['Dockerfile', 'Docker'],
]
const NONE = '(none)'

/**
 * The context package of a run. What stays the same over a goal comes first and in one order, so that a provider's
 * prompt cache can serve it; what changes from run to run comes last. A resumed session is told only what is new.
 */
export async function promptFor(
  deps: ActivityDeps,
  work: AgentWork & {
    runId: string
    purpose: RunPurpose
    /** Of a repair: what was wrong with the answer. */
    errors: string
    outputSchema: Record<string, unknown>
  },
): Promise<string> {
  const [corrections, said] = await Promise.all([
    correctionsOf(deps.database.knex, work.key, work.runId),
    saidInReviews(deps.database.knex, work.key),
  ])
  const values = closingValues({ ...work, corrections, said })
  const closing = await deps.prompts.render('closing', values)
  if (work.purpose === 'repair')
    return (await deps.prompts.render('repair', { errors: fenced(work.errors) })) + closing
  if (work.purpose === 'resume') {
    const conventions = fenced(setConventions(work.facts) || NONE)
    return (await deps.prompts.render('resume', { conventions })) + closing
  }
  const context = await deps.prompts.render('context', await contextValues(work))
  const asked = work.opinion === 2 ? 'second_opinion' : work.key.stage
  return context + (await deps.prompts.render(asked, {})) + closing
}

async function contextValues({
  facts,
  workspace,
  feedback,
}: AgentWork): Promise<Record<string, string>> {
  const { goal, project, spec, testSpec, securitySpec } = facts
  const json = (value: unknown) =>
    value === undefined ? NONE : fenced(JSON.stringify(value, null, 1))
  return {
    project: fenced(
      `Name: ${project.name}\nStack: ${(await stackOf(workspace.path)).join(', ') || 'unknown'}\nTarget branch: ${goal.target_branch}`,
    ),
    conventions: fenced(await conventionsOf(workspace.path, facts)),
    goal_title: fenced(goal.title),
    goal: fenced(goal.description),
    // a spec that is changed on request is not approved, but its next version is written from it
    spec: json(spec?.status === 'approved' || feedback ? spec?.content : undefined),
    test_spec: json(testSpec?.content),
    security_spec: json(securitySpec?.content),
  }
}

function closingValues({
  key,
  facts,
  feedback,
  checks,
  corrections,
  said,
  outputSchema,
}: AgentWork & {
  corrections: Told[]
  said: SaidInReview[]
  outputSchema: Record<string, unknown>
}): Record<string, string> {
  const { task } = facts
  const about = task
    ? { title: task.title, role: task.role, description: task.description }
    : undefined
  const results = checks?.map(
    (check) => `${check.name} ${endOfCheck(check)}\n${check.output.slice(-4000)}`,
  )
  const asked = said.filter(({ approval, comment }) => approval === null && comment !== feedback)
  const remarked = said.filter(({ approval }) => approval !== null)
  return {
    stage: key.stage,
    task: about ? fenced(JSON.stringify(about)) : `${STAGE_TITLES[key.stage]} of the whole goal`,
    attempt: String(key.attempt),
    feedback: feedback ? fenced(feedback) : NONE,
    requests: listed(asked.map(saidLine)),
    remarks: listed(remarked.map(saidLine)),
    corrections: listed(corrections.map(correctionLine)),
    checks: listed(results ?? []),
    output_schema: JSON.stringify(outputSchema),
  }
}

async function stackOf(path: string): Promise<string[]> {
  const found = await Promise.all(
    STACK_FILES.map(async ([file, name]) =>
      (await readRegularText(join(path, file), 1)) === undefined ? [] : [name],
    ),
  )
  return [...new Set(found.flat())]
}

const correctionLine = ({ text, elsewhere }: Told) =>
  `- ${text}${elsewhere === null ? '' : ` (told ${elsewhere})`}`

const saidLine = ({ review, approval, comment }: SaidInReview) =>
  `- ${review}${approval === null ? '' : ` (${approval})`}: ${comment}`

const listed = (lines: readonly string[]) => (lines.length > 0 ? fenced(lines.join('\n')) : NONE)

/** What the repository says, then what people set for the project and the profile. */
async function conventionsOf(path: string, facts: GoalFacts): Promise<string> {
  const parts = [await conventionFiles(path), setConventions(facts)].filter((part) => part !== '')
  return parts.join('\n\n') || NONE
}

/** Conventions that people keep in Dispatch; empty where there are none. */
function setConventions({ project, profileConventions, goal }: GoalFacts): string {
  const part = (whose: string, text: string) =>
    text.trim() === '' ? [] : [`Set for ${whose}:\n${text.trim()}`]
  return [
    ...part('this project', project.conventions),
    ...part(`the profile ${goal.profile.name}`, profileConventions),
  ].join('\n\n')
}
