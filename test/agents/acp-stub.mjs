#!/usr/bin/env node
// A small agent that speaks the Agent Client Protocol, for what a test of the protocol needs. ACP_STUB names what it does.
import { randomUUID } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const how = process.env.ACP_STUB
const store = join(process.env.HOME, '.acp-stub')
mkdirSync(store, { recursive: true })
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const drained = () => new Promise((resolve) => process.stdout.write('', resolve))
const asked = new Map()
let nextId = 100
const ask = (method, params) => new Promise((resolve) => { asked.set(nextId, resolve); send({ id: nextId++, method, params }) })
let sessionId
let cancelled = false
const update = (body) => send({ method: 'session/update', params: { sessionId, update: body } })
const say = (text) => update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } })

if (how === 'ignore-signals') for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => {})
createInterface({ input: process.stdin })
  .on('line', (line) => void hear(JSON.parse(line)))
  .on('close', () => how === 'ignore-signals' || process.exit(0))

async function hear({ id, method, params, result }) {
  if (method === undefined) return asked.get(id)?.(result)
  const file = join(store, params?.sessionId ?? '')
  switch (method) {
    case 'initialize':
      return send({ id, result: { protocolVersion: 1, agentCapabilities: { loadSession: how !== 'no-load' } } })
    case 'session/new':
      sessionId = randomUUID()
      writeFileSync(join(store, sessionId), '')
      return send({ id, result: { sessionId, modes: { currentModeId: 'default', availableModes: [{ id: 'default', name: 'Default' }, { id: 'plan', name: 'Plan' }] } } })
    case 'session/load':
      if (!existsSync(file)) return send({ id, error: { code: -32002, message: 'Resource not found' } })
      sessionId = params.sessionId
      for (const text of readFileSync(file, 'utf8').split('\n')) say(`earlier: ${text}`)
      return send({ id, result: {} })
    case 'session/set_mode':
      return send({ id, result: {} })
    case 'session/cancel':
      cancelled = true
      return
    case 'session/prompt':
      appendFileSync(file, `${params.prompt[0].text}\n`)
      return play(id)
    default:
      return send({ id, error: { code: -32601, message: 'Method not found' } })
  }
}

const end = (id, stopReason = 'end_turn') => send({ id, result: { stopReason, usage: { inputTokens: 100, outputTokens: 10, cachedReadTokens: 50, cachedWriteTokens: 5, totalTokens: 165 } } })
let turns = 0

async function play(id) {
  turns += 1
  switch (how) {
    case 'write-file': {
      const call = { toolCallId: 'call-1', title: 'Write hello.txt', kind: 'edit', rawInput: { path: 'hello.txt' } }
      update({ sessionUpdate: 'tool_call', status: 'pending', ...call })
      const options = [{ optionId: 'yes', name: 'Allow', kind: 'allow_once' }, { optionId: 'no', name: 'Reject', kind: 'reject_once' }]
      const { outcome } = await ask('session/request_permission', { sessionId, toolCall: call, options })
      const ok = outcome.optionId === 'yes'
      const path = join(process.cwd(), 'hello.txt')
      if (ok) writeFileSync(path, 'hello\n')
      const content = ok ? [{ type: 'diff', path, oldText: null, newText: 'hello\n' }] : []
      update({ sessionUpdate: 'tool_call_update', toolCallId: 'call-1', status: ok ? 'completed' : 'failed', content })
      break
    }
    case 'slow':
    case 'ignore-signals':
      for (let at = 0; at < 120; at += 1) {
        say(`word ${at} `)
        await new Promise((resolve) => setTimeout(resolve, 25))
        if (cancelled && how === 'slow') return end(id, 'cancelled')
      }
      break
    case 'crash':
      say('Something ')
      await drained()
      return process.kill(process.pid, 'SIGKILL')
    case 'exit-without-result':
      say('Something ')
      await drained()
      return process.exit(0)
    case 'hang':
      return
    case 'garbage':
      process.stdout.write('Warning: this is not JSON\n{"jsonrpc":"2.0","meth\n[1,2]\nnull\n\n')
      process.stdout.write(Buffer.from([0xc3, 0x28, 0xff, 0xfe, 0x0a]))
      update({ sessionUpdate: 'an_update_of_a_later_version', payload: {} })
      break
    case 'long-line':
      process.stdout.write('{"jsonrpc":"2.0","method":"')
      for (let left = 50 * 16; left > 0; left -= 1) {
        process.stdout.write('x'.repeat(64 * 1024))
        await drained()
      }
      process.stdout.write('"}\n')
      break
    case 'flood':
      for (let left = 50 * 256; left > 0; left -= 1) {
        say('All work and no play. '.repeat(187).slice(0, 4096))
        if (left % 16 === 0) await drained()
      }
      break
    case 'leave-child':
      spawn(process.execPath, ['-e', 'setTimeout(() => {}, 600000)'], { detached: true, stdio: ['ignore', 'inherit', 'ignore'] })
      break
    case 'environment':
      say(Object.entries(process.env).map(([name, value]) => `${name}=${value}`).join('\n'))
      break
    case 'not-logged-in':
      return send({ id, error: { code: -32000, message: 'Authentication required' } })
  }
  say(`\n{"turn":${turns}}`)
  end(id)
}
