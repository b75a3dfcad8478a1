#!/usr/bin/env node
// An agent of the Agent Client Protocol that answers the stages of a goal without a model. `[judge:SEC-2=fail]` in the goal says
// what it thinks of an item; everything else passes. `[judge:slow=3]`: it takes so many seconds for its answer.
// `[judge:untold]`: it talks a lot, goes on until it is stopped, and tells no tokens.
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const sessionId = randomUUID()
createInterface({ input: process.stdin })
  .on('line', (line) => void hear(JSON.parse(line)))
  .on('close', () => process.exit(0))

async function hear({ id, method, params }) {
  switch (method) {
    case 'initialize':
      return send({ id, result: { protocolVersion: 1, agentCapabilities: {} } })
    case 'session/new':
      return send({ id, result: { sessionId } })
    case 'session/prompt': {
      const asked = params.prompt[0].text
      if (asked.includes('[judge:untold]')) return talk()
      const seconds = Number(/\[judge:slow=(\d+)\]/.exec(asked)?.[1] ?? 0)
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
      say(JSON.stringify(answer(asked)))
      const usage = { inputTokens: 100, outputTokens: 10, cachedReadTokens: 0, cachedWriteTokens: 0, totalTokens: 110 }
      return send({ id, result: { stopReason: 'end_turn', usage } })
    }
    case 'session/cancel':
      return process.exit(0)
    default:
      if (id !== undefined) send({ id, error: { code: -32601, message: 'Method not found' } })
  }
}

function say(text) {
  const update = { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } }
  send({ method: 'session/update', params: { sessionId, update } })
}

const talk = () => say('I weigh it. '.repeat(4000))

function answer(prompt) {
  const stage = /<stage>(\w+)<\/stage>/.exec(prompt)?.[1]
  if (stage === 'verify') return { items: refsIn(prompt).map((ref) => judge(ref, prompt)) }
  if (stage === 'audit') return { summary: 'Looked at all of it.', findings: [] }
  writeFileSync(join(process.cwd(), 'judge.md'), 'The judge wrote this.\n')
  return { summary: 'Wrote judge.md.', files: ['judge.md'], deviations: [] }
}

function refsIn(prompt) {
  const said = prompt.replace(/<output_schema>[\s\S]*?<\/output_schema>/g, '').replace(/\[judge:[^\]]*\]/g, '')
  return [...new Set(said.match(/\b(?:REQ|AC|TC|SEC)-\d+\b/g) ?? ['REQ-1'])]
}

function judge(ref, prompt) {
  const result = new RegExp(`\\[judge:${ref}=(\\w+)\\]`).exec(prompt)?.[1] ?? 'pass'
  return { ref, result, evidence: `The judge looked at ${ref}.`, file: 'README.md', line: 1 }
}
