#!/usr/bin/env node
// Speaks just enough of Claude Code's stream-json to be driven by the Agent SDK, and then does what no well-behaved binary would.
// CLAUDE_STUB names the way: crash, exit-without-result, garbage, long-line, flood, ignore-signals.
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'

const how = process.env.CLAUDE_STUB
if (process.argv.includes('--version')) {
  console.log('0.0.0 (stub)')
  process.exit(0)
}
const id = process.argv[process.argv.indexOf('--session-id') + 1]
const print = (message) => process.stdout.write(`${JSON.stringify({ session_id: id, uuid: randomUUID(), ...message })}\n`)
const say = (text) => print({ type: 'stream_event', parent_tool_use_id: null, event: { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } } })
const drained = () => new Promise((resolve) => process.stdout.write('', resolve))

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const message = JSON.parse(line)
    if (message.type === 'control_request' && message.request.subtype === 'initialize')
      print({ type: 'control_response', response: { subtype: 'success', request_id: message.request_id, response: { commands: [], models: [], account: {} } } })
    if (message.type === 'user') void play()
  })
  .on('close', () => how === 'ignore-signals' || process.exit(0))
if (how === 'ignore-signals') for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => {})

async function play() {
  print({ type: 'system', subtype: 'init', model: 'stub', capabilities: ['msg_lifecycle_v1'] })
  switch (how) {
    case 'crash':
      say('Something ')
      await drained()
      return process.kill(process.pid, 'SIGKILL')
    case 'exit-without-result':
      say('Something ')
      await drained()
      return process.exit(0)
    case 'garbage':
      process.stdout.write('Warning: this is not JSON\n{"type":"assistant","message":{"id":"half a li\n[1,2]\nnull\n\n')
      process.stdout.write(Buffer.from([0xc3, 0x28, 0xff, 0xfe, 0x0a]))
      print({ type: 'a_message_of_a_later_version', payload: { deep: true } })
      break
    case 'long-line':
      process.stdout.write('{"type":"user","message":{"content":"')
      for (let left = 50 * 16; left > 0; left -= 1) {
        process.stdout.write('x'.repeat(64 * 1024))
        await drained()
      }
      process.stdout.write('"}}\n')
      break
    case 'flood':
      for (let left = 50 * 256; left > 0; left -= 1) {
        say('All work and no play. '.repeat(187).slice(0, 4096))
        if (left % 16 === 0) await drained()
      }
      break
    case 'ignore-signals':
      setInterval(() => say('Never mind. '), 50)
      return
  }
  print({ type: 'result', subtype: 'success', is_error: false, result: '{}', structured_output: {}, model_usage_since_last_result: {} })
}
