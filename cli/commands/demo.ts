import { defineCommand } from '../command.ts'
import { DEMO_AGENTS, type DemoAgent } from '../demo/demo-agent.ts'

export const demo = defineCommand({
  name: 'demo',
  summary: 'See it work: a sample repository, one goal, the built-in demo agent or your own',
  args: {},
  options: {
    agent: { type: 'string', help: 'who works (demo)', choices: DEMO_AGENTS },
    kill: { type: 'boolean', help: 'kill the worker and Temporal in the middle' },
    keep: { type: 'boolean', help: 'leave it running, with the last review for you' },
  },
  examples: [
    'dispatch demo',
    'dispatch demo --agent claude',
    'dispatch demo --kill',
    'dispatch demo --keep',
  ],
  bringsOwn: true,
  handlesInterrupt: true,
  // it ends what it has started, whoever looks
  goesOnWithout: 'output',
  async run({ agent, kill, keep }, { env, cwd, signal }, io) {
    const { runDemo } = await import('../demo/run-demo.ts')
    return runDemo({ agent: (agent ?? 'demo') as DemoAgent, kill, keep, env, cwd, signal }, io)
  },
})
