import { defineCommand } from '../command.ts'
import { EXIT, usageFailure } from '../failure.ts'
import { lackOf } from '../who-works.ts'

export const tasksAgent = defineCommand({
  name: 'tasks agent',
  summary:
    'Say which agent writes a task, whatever its profile says; it holds from the next run on',
  prints: { replies: ['updateTask'] },
  args: {
    id: { required: true, help: 'a task, such as T-31' },
    adapter: { help: 'an agent of `dispatch adapters`' },
  },
  options: {
    model: { type: 'string', help: "its model (the agent's own choice)" },
    'as-profile': { type: 'boolean', help: 'leave it to the profile again' },
  },
  examples: ['dispatch tasks agent T-31 codex', 'dispatch tasks agent T-31 --as-profile'],
  async run({ id, adapter, model, 'as-profile': asProfile }, deps, io) {
    if ((adapter === undefined) === !asProfile)
      throw usageFailure('Name an agent, or give --as-profile to leave it to the profile.')
    const agent = adapter === undefined ? null : { adapter, ...(model ? { model } : {}) }
    const task = await deps.call('updateTask', { params: { id }, body: { agent } })
    if (io.json) io.document(task)
    const who = task.agent ? [task.agent.adapter, task.agent.model].filter(Boolean).join(' ') : ''
    io.print(`${task.shortId}\t${who || 'as its profile says'}`)
    const lack = adapter === undefined ? undefined : await lackOf(adapter, deps)
    if (lack !== undefined) io.note(io.clean(lack))
    return EXIT.ok
  },
})
