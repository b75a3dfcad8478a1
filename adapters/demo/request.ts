import { AGENT_STAGES, type AgentStage } from '../../contracts/stages.ts'

/** What the demo agent understands of a prompt. */
export interface DemoRequest {
  stage: AgentStage
  attempt: number
  goalTitle: string
  goal: string
  task: { title: string; description: string; role: string } | undefined
  /** `[demo:…]` directives of the goal and the task: behaviours per stage and the shape of the spec. */
  behaviours: Behaviour[]
  shape: { tasks: number | undefined; chain: boolean; frontend: boolean }
  unknownDirectives: string[]
  /** Ids of requirements, acceptance criteria, test cases and security items that the prompt names. */
  refs: string[]
}

export interface Behaviour {
  name: string
  argument: string
}

/** Each is in the table of docs/guide.md. */
export const BEHAVIOURS = new Set(
  `ok instant slow silent fail fail-once crash-once hang ignore-signals flood longline garbage lie lie-once leave-child invalid
  invalid-once no-changes no-result auth rate-limit quota overloaded secret tokens conflict edit commit reject reject-once finding
  env loop`.split(/\s+/),
)

/**
 * `earlier`: the session's last whole prompt, which fills in what a resumed session is not told again. Undefined when neither names a
 * stage: then it is a question and no stage of a goal.
 */
export function readRequest(latest: string, earlier: string): DemoRequest | undefined {
  const prompt = isWhole(latest) ? latest : `${latest}\n${earlier}`
  const stage = AGENT_STAGES.find((name) => name === tag(prompt, 'stage'))
  if (!stage) return undefined
  const goal = tag(prompt, 'goal') ?? ''
  const goalTitle = tag(prompt, 'goal_title') ?? goal.split('\n')[0] ?? ''
  const taskText = tag(prompt, 'task')
  const scripted = [goalTitle, goal, taskText ?? ''].join('\n')
  const directives = [...new Set(scripted.match(/\[demo:[^\]\n]*\]/g) ?? [])]
  const request: DemoRequest = {
    stage,
    attempt: Number(tag(prompt, 'attempt') ?? 1) || 1,
    goalTitle: plain(goalTitle) || 'Untitled goal',
    goal: plain(goal),
    task: taskText === undefined || WHOLE_GOAL.test(taskText) ? undefined : readTask(taskText),
    behaviours: [],
    shape: { tasks: undefined, chain: false, frontend: false },
    unknownDirectives: [],
    refs: [...new Set(withoutSchema(prompt).match(/\b(?:REQ|AC|TC|SEC)-[0-9]+\b/g) ?? [])],
  }
  for (const directive of directives)
    if (!apply(request, directive)) request.unknownDirectives.push(directive)
  return request
}

/** True for a prompt that needs no earlier one: it brings the goal itself. */
export const isWhole = (prompt: string) => tag(prompt, 'goal') !== undefined

/** False for a directive that means nothing. */
function apply(request: DemoRequest, directive: string): boolean {
  const [key = '', value = ''] = directive.slice('[demo:'.length, -1).split(/=(.*)/s)
  if (key === 'frontend' && value === '') {
    request.shape.frontend = true
    return true
  }
  if (key === 'tasks' || key === 'chain') {
    const count = Number(value)
    if (!Number.isInteger(count) || count < 1 || count > 50) return false
    request.shape.tasks = count
    request.shape.chain = key === 'chain'
    return true
  }
  if (key !== 'all' && !(AGENT_STAGES as readonly string[]).includes(key)) return false
  const behaviours = value.split(',').map((part) => {
    const [name = '', argument = ''] = part.trim().split(/:(.*)/s)
    return { name, argument }
  })
  if (!behaviours.every(({ name }) => BEHAVIOURS.has(name))) return false
  if (key === 'all' || key === request.stage) request.behaviours.push(...behaviours)
  return true
}

/** What stands in place of a task in the stages of the goal as a whole. */
const WHOLE_GOAL = /^\S+(?: \S+)* of the whole goal$/

function readTask(text: string): DemoRequest['task'] {
  const field = (name: string) => {
    const found =
      tag(text, name) ??
      jsonField(text, name) ??
      new RegExp(`^\\W*${name}\\W*:\\s*(.+)$`, 'im').exec(text)?.[1]
    return found === undefined ? undefined : plain(found)
  }
  const firstLine = text.trim().split('\n')[0] ?? ''
  return {
    title: field('title') ?? plain(firstLine),
    description: field('description') ?? plain(text),
    role: field('role') ?? 'implement',
  }
}

/** A text field of a JSON object that stands somewhere in `text`. */
function jsonField(text: string, name: string): string | undefined {
  const literal = new RegExp(
    `"${name}"\\s*:\\s*("(?:[^"\\\\\n]|\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4}))*")`,
  ).exec(text)?.[1]
  return literal === undefined ? undefined : String(JSON.parse(literal))
}

const withoutSchema = (prompt: string) =>
  prompt.replace(/<output_schema>[\s\S]*?<\/output_schema>/g, '')
const plain = (text: string) =>
  text
    .replace(/\[demo:[^\]\n]*\]/g, '')
    .replace(/[ \t]+/g, ' ')
    .trim()

function tag(text: string, name: string): string | undefined {
  return new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`).exec(text)?.[1]?.trim()
}
