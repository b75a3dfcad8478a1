import { defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { runId } from '../target.ts'

export const correct = defineCommand({
  name: 'correct',
  summary: 'Tell an agent something in the middle of its work',
  prints: { replies: ['correctAgent'] },
  args: {
    id: { required: true, help: 'an agent run, such as A-7', complete: 'run' },
    text: { required: true, help: 'what it should do differently' },
  },
  options: {},
  examples: ['dispatch correct A-7 "Use the existing parser, write no new one"'],
  async run({ id, text }, deps, io) {
    const run = runId(id)
    const correction = await deps.call('correctAgent', { params: { id: run }, body: { text } })
    if (io.json) io.document(correction)
    io.print(`The correction is ${correction.state}; the agent gets it with its next step.`)
    io.note(`See how far it comes: dispatch logs ${run} --follow`)
    const { items } = await deps.call('listSuggestions', { query: { limit: 200 } })
    const made = items.find(({ corrections }) => corrections.some((c) => c.id === correction.id))
    if (made)
      io.note(
        `You said something like this ${made.corrections.length} times. Make it a convention: dispatch suggestions accept ${made.shortId}`,
      )
    return EXIT.ok
  },
})
