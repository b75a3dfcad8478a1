#!/usr/bin/env node
// Speaks just enough of Codex's app-server to be driven, and then does what no well-behaved binary would.
// CODEX_STUB names the way: crash, exit-without-result, garbage, long-line, flood, ignore-signals.
import { createInterface } from 'node:readline'

const how = process.env.CODEX_STUB
if (process.argv.includes('--version')) {
  console.log('codex-cli 0.0.0 (stub)')
  process.exit(0)
}
const threadId = '01a00000-0000-7000-8000-000000000001'
const turnId = '01a00000-0000-7000-8000-000000000002'
const print = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)
const notify = (method, params) => print({ method, params: { threadId, turnId, ...params } })
const say = (delta) => notify('item/agentMessage/delta', { itemId: 'msg_1', delta })
const drained = () => new Promise((resolve) => process.stdout.write('', resolve))

const ANSWERS = {
  initialize: { userAgent: 'dispatch/0.169.0 (stub)' },
  'config/read': { config: {} },
  'thread/start': { thread: { id: threadId }, model: 'stub' },
  'turn/start': { turn: { id: turnId, status: 'inProgress' } },
}
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { id, method } = JSON.parse(line)
    if (ANSWERS[method]) print({ id, result: ANSWERS[method] })
    if (method === 'turn/start') void play()
  })
  .on('close', () => how === 'ignore-signals' || process.exit(0))
if (how === 'ignore-signals') for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => {})

async function play() {
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
      process.stdout.write('Warning: this is not JSON\n{"method":"item/started","params":{"item":{"id":"half a li\n[1,2]\nnull\n\n')
      process.stdout.write(Buffer.from([0xc3, 0x28, 0xff, 0xfe, 0x0a]))
      notify('something/ofALaterVersion', { payload: { deep: true } })
      break
    case 'long-line':
      process.stdout.write('{"method":"item/completed","params":{"item":{"id":"')
      for (let left = 50 * 16; left > 0; left -= 1) {
        process.stdout.write('x'.repeat(64 * 1024))
        await drained()
      }
      process.stdout.write('"}}}\n')
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
  notify('item/completed', { item: { type: 'agentMessage', id: 'msg_1', text: '{}' } })
  notify('turn/completed', { turn: { id: turnId, status: 'completed', items: [], error: null } })
}
