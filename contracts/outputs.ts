/** What each agent stage must answer. The JSON Schema sent to the agent and the check of its answer come from here. */
import { z } from 'zod'
import type { AgentStage } from './stages.ts'

const line = z.string().trim().min(1).max(500)
/** What an item is called: a verdict names it, and so does whoever checks it. */
const label = z.string().trim().min(1).max(100)
/** Which item a verdict is on, with the prefix that Dispatch may give it, or what the verifier calls an objection of its own. */
const ref = z.string().trim().min(1).max(180)
const prose = z.string().trim().min(1).max(20_000)
const path = z.string().min(1).max(4096)

const MOST = { requirements: 200, acceptance: 200, cases: 500, controls: 200, verdicts: 500 }
/** Items that all specs of a task can have, and objections of its verifier and of a second one that are on none of them. */
export const MOST_JUDGED_ITEMS =
  MOST.requirements + MOST.acceptance + MOST.cases + MOST.controls + 2 * MOST.verdicts

export const specTask = z.strictObject({
  key: z.string().regex(/^[a-z][a-z0-9_-]{0,39}$/),
  title: line,
  description: prose,
  role: z.enum(['implement', 'frontend']),
  dependsOn: z.array(z.string()).max(50).default([]),
})
/** The agent that writes, and its model where it is not the agent's own choice. */
const chosenAgent = z.strictObject({
  adapter: z.string().trim().min(1).max(60),
  model: z.string().trim().min(1).max(200).optional(),
})
/** A task as a person may change it: they can say who writes it. Agents cannot. */
const editedTask = specTask.extend({ agent: chosenAgent.optional() })
export type SpecTask = z.infer<typeof editedTask>

const specOf = <T extends typeof specTask | typeof editedTask>(task: T) =>
  z
    .strictObject({
      title: line,
      summary: prose,
      requirements: z
        .array(z.strictObject({ id: label, text: prose }))
        .min(1)
        .max(MOST.requirements),
      acceptance: z
        .array(z.strictObject({ id: label, text: prose }))
        .min(1)
        .max(MOST.acceptance),
      tasks: z.array(task).min(1).max(50),
    })
    .check((context) => {
      const { tasks, requirements, acceptance } = context.value as SpecOutput
      for (const message of taskGraphProblems(tasks))
        context.issues.push({ code: 'custom', message, path: ['tasks'], input: tasks })
      refuseDoubles(context, [...requirements, ...acceptance], 'acceptance')
    })
/** The spec as it is kept and as a person may edit it. */
export const specOutput = specOf(editedTask)
export type SpecOutput = z.infer<typeof specOutput>

export const testSpecOutput = z
  .strictObject({
    cases: z
      .array(
        z.strictObject({
          id: label,
          title: line,
          requirement: line,
          steps: prose,
          expected: prose,
        }),
      )
      .min(1)
      .max(MOST.cases),
  })
  .check((context) => refuseDoubles(context, context.value.cases, 'cases'))
export type TestSpecOutput = z.infer<typeof testSpecOutput>

export const securitySpecOutput = z
  .strictObject({
    items: z
      .array(z.strictObject({ id: label, owasp: line, risk: prose, control: prose, check: prose }))
      .max(MOST.controls),
  })
  .check((context) => refuseDoubles(context, context.value.items, 'items'))
export type SecuritySpecOutput = z.infer<typeof securitySpecOutput>

export const implementOutput = z.strictObject({
  summary: prose,
  files: z.array(path).max(10_000),
  deviations: z.array(prose).max(100),
})
export type ImplementOutput = z.infer<typeof implementOutput>

/** As it is kept, with what the agent left that is in no commit. */
export const builtOutput = implementOutput.extend({
  /** The agent's own, and what Dispatch saw. */
  deviations: z.array(prose),
  leftOut: z.array(z.string()).optional(),
  /** Folders that git cannot open. */
  closed: z.array(z.string()).optional(),
})
export type BuiltOutput = z.infer<typeof builtOutput>

export const verifyItem = z.strictObject({
  ref,
  result: z.enum(['pass', 'warn', 'fail']),
  evidence: prose,
  file: path.optional(),
  line: z.int().positive().optional(),
})
export type VerifyItem = z.infer<typeof verifyItem>
export const verifyOutput = z.strictObject({ items: z.array(verifyItem).min(1).max(MOST.verdicts) })
export type VerifyOutput = z.infer<typeof verifyOutput>

export const auditFinding = z.strictObject({
  severity: z.enum(['info', 'low', 'medium', 'high', 'critical']),
  title: line,
  detail: prose,
  file: path.optional(),
})
export type AuditFinding = z.infer<typeof auditFinding>
export const auditOutput = z.strictObject({
  summary: prose,
  findings: z.array(auditFinding).max(500),
})
export type AuditOutput = z.infer<typeof auditOutput>

export const STAGE_OUTPUTS = {
  spec: specOf(specTask),
  test_spec: testSpecOutput,
  security_spec: securitySpecOutput,
  implement: implementOutput,
  frontend: implementOutput,
  verify: verifyOutput,
  audit: auditOutput,
} as const satisfies Record<AgentStage, z.ZodType>
export type StageOutput<S extends AgentStage = AgentStage> = z.infer<(typeof STAGE_OUTPUTS)[S]>

/** The JSON Schema (2020-12) of a stage's answer, as agents take it. */
export function outputJsonSchema(stage: AgentStage): Record<string, unknown> {
  return z.toJSONSchema(STAGE_OUTPUTS[stage], { io: 'input' }) as Record<string, unknown>
}

/** A verdict names an id alone, so that two items of one id would share it. */
function refuseDoubles(
  context: { issues: z.core.$ZodRawIssue[] },
  items: readonly { id: string }[],
  path: string,
): void {
  const doubles = items.filter(({ id }, index) => items.findIndex((one) => one.id === id) !== index)
  for (const { id } of doubles)
    context.issues.push({
      ...{ code: 'custom', path: [path], input: items },
      message: `two items have the id "${id}"`,
    })
}

function taskGraphProblems(tasks: readonly SpecTask[]): string[] {
  const problems: string[] = []
  const keys = new Set<string>()
  for (const task of tasks) {
    if (keys.has(task.key)) problems.push(`two tasks have the key "${task.key}"`)
    keys.add(task.key)
  }
  for (const task of tasks) {
    for (const need of task.dependsOn) {
      if (!keys.has(need))
        problems.push(`task "${task.key}" depends on "${need}", which is not a task`)
    }
  }
  const done = new Set<string>()
  for (let before = -1; before !== done.size; ) {
    before = done.size
    for (const task of tasks) if (task.dependsOn.every((need) => done.has(need))) done.add(task.key)
  }
  if (problems.length === 0 && done.size < keys.size)
    problems.push('the tasks depend on each other in a circle')
  return problems
}
