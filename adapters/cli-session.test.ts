import { expect, onTestFinished, test } from 'vitest'
import type { AgentEvent, RunSpec } from '../contracts/agent.ts'
import { openCliSession } from './cli-session.ts'

test('an answer counts though a daemon that got away holds the pipe of its agent', async () => {
  const script = 'env -i /usr/bin/setsid /bin/sleep 60 & echo "$!"; echo answer'
  const spec = { cwd: '/', env: { PATH: '/usr/bin:/bin', DISPATCH_RUN_ID: 'r' } } as unknown
  const session = openCliSession(
    spec as RunSpec,
    { signal: AbortSignal.timeout(15_000) },
    {
      ...{ command: '/bin/sh', args: ['-c', script], input: [], correction: () => undefined },
      read: ({ text }) => [{ type: text === 'answer' ? 'done' : 'text', text }],
    },
  )
  const events: AgentEvent[] = []
  const began = performance.now()
  for await (const event of session.events) {
    events.push(event)
    if (event.type === 'text') onTestFinished(() => void process.kill(Number(event.text)))
  }
  expect(events.map(({ type }) => type)).toEqual(['text', 'done'])
  expect(performance.now() - began).toBeLessThan(10_000)
})
