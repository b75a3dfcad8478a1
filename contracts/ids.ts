/**
 * Ids. Primary keys are uuidv7; people see short ids (G-12) and may use either anywhere.
 * Temporal workflow ids are made here and nowhere else. Zod-free.
 */
export const SHORT_PREFIX = {
  project: 'P',
  goal: 'G',
  task: 'T',
  review: 'R',
  run: 'A',
  suggestion: 'S',
} as const
export type Kind = keyof typeof SHORT_PREFIX

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** `shortId('goal', 12)` is `G-12`. */
export function shortId(kind: Kind, number: number): string {
  return `${SHORT_PREFIX[kind]}-${number}`
}

/** What a person typed as an id: a uuid, a short id of a known kind, or undefined when it is neither. */
export function parseId(
  text: string,
): { uuid: string } | { kind: Kind; number: number } | undefined {
  const lower = text.trim().toLowerCase()
  if (UUID.test(lower)) return { uuid: lower }
  const match = /^([a-z])-?([1-9][0-9]{0,8})$/.exec(lower)
  if (!match) return undefined
  const kind = (Object.keys(SHORT_PREFIX) as Kind[]).find(
    (k) => SHORT_PREFIX[k].toLowerCase() === match[1],
  )
  return kind ? { kind, number: Number(match[2]) } : undefined
}

export const goalWorkflowId = (goalId: string) => `goal/${goalId}`
export const taskWorkflowId = (taskId: string) => `task/${taskId}`

/** Who claims a worktree: a task for its work, and a stage attempt that only looks at a commit. */
export const taskKey = (taskId: string) => `task/${taskId}`
export const scratchKey = (at: ScratchOwner) => `scratch/${scratchName(at)}`
export const scratchName = ({ goal, task, stage, attempt }: ScratchOwner) =>
  `${task ? shortId('task', task.number) : shortId('goal', goal.number)}-${stage}-${attempt}`

interface ScratchOwner {
  goal: { number: number }
  task: { number: number } | undefined
  stage: string
  attempt: number
}

/** Event streams: one per goal (its tasks, reviews and runs included), the pool's, and `feed`, which has them all. */
export const goalStream = (goalId: string) => `goal/${goalId}`
export const runStream = (runId: string) => `run/${runId}`
export const FEED_STREAM = 'feed'
export const SYSTEM_STREAM = 'system'
