import { defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'

export const diff = defineCommand({
  name: 'diff',
  summary: 'Show what was changed, as a patch',
  prints: { replies: ['getTaskDiff'], fields: ['task', 'title'] },
  args: { id: { required: true, help: 'a task, review or goal', complete: 'review' } },
  options: {},
  examples: ['dispatch diff R-9', 'dispatch diff G-12 --json'],
  async run({ id }, deps, io) {
    const { diffsOf, showDiffs } = await import('../show-diff.ts')
    const diffs = await diffsOf(id, deps)
    if (io.json) io.document({ items: diffs, next: null })
    await showDiffs(diffs, deps, io)
    return EXIT.ok
  },
})
