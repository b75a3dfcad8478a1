import type { DemoRequest } from './request.ts'
import { SAMPLE_FUNCTIONS, type SampleFunction } from './sample.ts'

/** What the work of a stage found out, for its answer. */
export interface Findings {
  /** Functions of the sample that are still missing in the working folder. */
  missing: readonly SampleFunction[]
  files: string[]
  deviations: string[]
  /** The project's own tests, where it has any. */
  tests: { ran: boolean; ok: boolean; output: string }
}

/** The structured answer of a stage, in the shapes that Dispatch asks its agents for. */
export function answer(request: DemoRequest, found: Findings): Record<string, unknown> {
  switch (request.stage) {
    case 'spec':
      return spec(request, found)
    case 'test_spec':
      return testSpec(request)
    case 'security_spec':
      return SECURITY_SPEC
    case 'implement':
    case 'frontend':
      return {
        summary: work(request, found),
        files: found.files,
        deviations: found.deviations,
      }
    case 'verify':
      return { items: judge(request, found) }
    case 'audit':
      return audit(request, found)
    default:
      return request.stage satisfies never
  }
}

interface DemoTask {
  key: string
  title: string
  description: string
  role: 'implement' | 'frontend'
  dependsOn: string[]
}

function spec(request: DemoRequest, { missing }: Findings) {
  const tasks = planTasks(request, missing)
  const what = request.goal || request.goalTitle
  return {
    title: request.goalTitle.slice(0, 120),
    summary: `What should exist: ${what.slice(0, 400)}`,
    requirements: tasks.map((task, index) => ({ id: `REQ-${index + 1}`, text: task.description })),
    acceptance: [
      { id: 'AC-1', text: "The project's own tests pass." },
      { id: 'AC-2', text: 'Nothing that worked before is broken.' },
    ],
    tasks,
  }
}

function planTasks(request: DemoRequest, missing: readonly SampleFunction[]): DemoTask[] {
  const { shape } = request
  const tasks =
    shape.tasks === undefined ? defaultTasks(request, missing) : numberedTasks(request, shape.tasks)
  if (shape.chain)
    for (const [index, task] of tasks.entries()) if (index > 0) task.dependsOn = [`t${index}`]
  if (shape.frontend)
    tasks.push({
      key: `t${tasks.length + 1}`,
      title: `A page for: ${request.goalTitle}`.slice(0, 100),
      description: `A small web page that shows ${request.goalTitle}.`,
      role: 'frontend',
      dependsOn: [],
    })
  return tasks
}

const numberedTasks = (request: DemoRequest, count: number): DemoTask[] =>
  Array.from({ length: count }, (_, index) => ({
    key: `t${index + 1}`,
    title: `${request.goalTitle.slice(0, 80)}, part ${index + 1}`,
    description: `Part ${index + 1} of ${count}: ${request.goalTitle}.`,
    role: 'implement',
    dependsOn: [],
  }))

/** The sample's missing functions make two tasks that can run side by side; anything else is one task. */
function defaultTasks(request: DemoRequest, missing: readonly SampleFunction[]): DemoTask[] {
  if (missing.length === 0) {
    const description = (request.goal || request.goalTitle).slice(0, 400)
    const title = request.goalTitle.slice(0, 100)
    return [{ key: 't1', title, description, role: 'implement', dependsOn: [] }]
  }
  const half = Math.ceil(missing.length / 2)
  return [missing.slice(0, half), missing.slice(half)]
    .filter((group) => group.length > 0)
    .map((group, index) => ({
      key: `t${index + 1}`,
      title: `Write ${group.map((f) => f.name).join(' and ')}`,
      description: group.map((f) => `${f.file}: \`${f.name}\`. ${f.purpose}`).join(' '),
      role: 'implement',
      dependsOn: [],
    }))
}

function testSpec({ refs }: DemoRequest) {
  const requirements = refs.filter((ref) => ref.startsWith('REQ-'))
  return {
    cases: (requirements.length > 0 ? requirements : ['REQ-1']).map((requirement, index) => ({
      id: `TC-${index + 1}`,
      title: `${requirement} holds`,
      requirement,
      steps:
        "Run the project's tests that cover it, then one input at the edge (empty, very long).",
      expected: 'Every test passes, and the edge case gives a sensible answer.',
    })),
  }
}

const SECURITY_SPEC = {
  items: [
    {
      id: 'SEC-1',
      owasp: 'A03:2021',
      risk: 'Text from outside is used as code, markup or a command.',
      control: 'Treat input as data only: no eval, no shell, text is escaped where it is shown.',
      check: 'Search the diff for eval, exec and unescaped output.',
    },
    {
      id: 'SEC-2',
      owasp: 'A06:2021',
      risk: 'A new dependency brings a known weakness.',
      control: 'Add no dependency without need.',
      check: 'The list of dependencies is unchanged, or the new one is explained.',
    },
  ],
}

function work(request: DemoRequest, { files }: Findings): string {
  const title = request.task?.title ?? request.goalTitle
  if (files.length === 0) return `${title}: nothing had to change.`
  return `${title}: wrote ${files.join(', ')}.`
}

function judge(request: DemoRequest, found: Findings) {
  const refs = request.refs.length > 0 ? request.refs : ['REQ-1']
  const rejected = has(request, 'reject') || (has(request, 'reject-once') && request.attempt === 1)
  const problem = rejected
    ? 'The script of this demo asks for a rejection.'
    : problemOf(request, found)
  if (problem !== undefined)
    return refs.map((ref) => ({ ref, result: 'fail' as const, evidence: problem }))
  const evidence = found.tests.ran
    ? `The project's tests pass${countsOf(found.tests.output)}.`
    : 'Read the change; the project has no tests to run.'
  return refs.map((ref) => ({ ref, result: 'pass' as const, evidence }))
}

/** `: pass 10, fail 0` where the tests' output ends with such counts, as that of `node --test` does. */
function countsOf(output: string): string {
  const counts = output.match(/\b(?:pass|fail) \d+$/gm)?.slice(-2) ?? []
  return counts.length === 2 ? `: ${counts.join(', ')}` : ''
}

/** Looks at the work itself: what an agent claims counts for nothing here. */
function problemOf(request: DemoRequest, found: Findings): string | undefined {
  const named = namedIn(request, found.missing)
  const [first] = named
  if (first) return `${first.file} still throws "not implemented": ${first.name} was not written.`
  if (found.tests.ran && !found.tests.ok)
    return `The project's tests fail: ${found.tests.output.slice(-400)}`
  return undefined
}

/** The functions that the task names; without a task, or when it names none, none. */
export function namedIn(
  { task }: DemoRequest,
  functions: readonly SampleFunction[] = SAMPLE_FUNCTIONS,
): SampleFunction[] {
  const text = `${task?.title ?? ''} ${task?.description ?? ''}`
  return functions.filter((f) => text.includes(f.name) || text.includes(f.file))
}

function audit(request: DemoRequest, { tests }: Findings) {
  const asked = request.behaviours
    .filter(({ name }) => name === 'finding')
    .map(({ argument }) => ({
      severity: argument || 'low',
      title: 'A finding that the script of this demo asks for',
      detail: 'Nothing is wrong with the code: the directive in the goal asked for it.',
    }))
  const failing =
    tests.ran && !tests.ok
      ? [{ severity: 'high', title: "The project's tests fail", detail: tests.output.slice(-400) }]
      : []
  const findings = [...failing, ...asked]
  const summary =
    findings.length === 0
      ? `Looked at the whole change of "${request.goalTitle}" and found nothing to object to.`
      : `Found ${findings.length} point(s) to look at.`
  return { summary, findings }
}

export const has = ({ behaviours }: DemoRequest, name: string) =>
  behaviours.some((behaviour) => behaviour.name === name)
