import { defineCommand } from '../command.ts'
import { goalId } from '../target.ts'
import { watchGoal } from '../watch.ts'

export const goalWatch = defineCommand({
  name: 'goal watch',
  summary: 'Watch a goal until it ends or needs attention; a review that waits does not end it',
  prints: { replies: ['getGoal', 'listEvents'] },
  args: { id: { required: true, help: 'a goal, such as G-12', complete: 'goal' } },
  options: {},
  examples: ['dispatch goal watch G-12', 'dispatch goal watch G-12 --json'],
  handlesInterrupt: true,
  run: ({ id }, deps, io) => watchGoal(goalId(id), deps, io),
})
