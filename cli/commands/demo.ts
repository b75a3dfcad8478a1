import { defineCommand } from '../command.ts'

export const demo = defineCommand({
  name: 'demo',
  summary: 'See it work: a sample repository, the built-in demo agent, one goal',
  args: {},
  options: {
    kill: { type: 'boolean', help: 'kill the worker and Temporal in the middle' },
    keep: { type: 'boolean', help: 'leave it running, with the last review for you' },
  },
  examples: ['dispatch demo', 'dispatch demo --kill', 'dispatch demo --keep'],
  handlesInterrupt: true,
  async run({ kill, keep }, { env, cwd, signal }, io) {
    const { runDemo } = await import('../demo/run-demo.ts')
    return runDemo({ kill, keep, env, cwd, signal }, io)
  },
})
