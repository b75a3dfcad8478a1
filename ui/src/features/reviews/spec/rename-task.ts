import type { SpecTask } from '../../../../../contracts/outputs.ts'

/** The tasks with another key for one of them: those that need it go on needing it. Undefined when another task has that key. */
export function renameTask(
  tasks: readonly SpecTask[],
  at: number,
  key: string,
): SpecTask[] | undefined {
  if (tasks.some((task, index) => index !== at && task.key === key)) return undefined
  const old = tasks[at]?.key
  return tasks.map((task, index) => ({
    ...task,
    ...(index === at ? { key } : {}),
    dependsOn: task.dependsOn.map((need) => (need === old ? key : need)),
  }))
}
