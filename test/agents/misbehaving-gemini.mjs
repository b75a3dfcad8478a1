#!/usr/bin/env node
// Speaks just enough of Gemini CLI's stream-json to be driven, and then does what no well-behaved binary would.
// GEMINI_STUB names the way: crash, exit-without-result, garbage, long-line, flood, ignore-signals, loop.
const how = process.env.GEMINI_STUB
if (process.argv.includes('--version')) {
  console.log('0.0.0')
  process.exit(0)
}
const id = process.argv[process.argv.indexOf('--session-id') + 1]
const print = (message) => process.stdout.write(`${JSON.stringify({ timestamp: new Date().toISOString(), ...message })}\n`)
const say = (content) => print({ type: 'message', role: 'assistant', content, delta: true })
const drained = () => new Promise((resolve) => process.stdout.write('', resolve))

if (how === 'ignore-signals') for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => {})
for await (const _ of process.stdin);
await play()

async function play() {
  print({ type: 'init', session_id: id, model: 'stub' })
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
      process.stdout.write('Warning: this is not JSON\n{"type":"message","role":"assist\n[1,2]\nnull\n\n')
      process.stdout.write(Buffer.from([0xc3, 0x28, 0xff, 0xfe, 0x0a]))
      print({ type: 'a_message_of_a_later_version', payload: { deep: true } })
      break
    case 'long-line':
      process.stdout.write('{"type":"tool_result","tool_id":"x","output":"')
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
    case 'ignore-signals':
      setInterval(() => say('Never mind. '), 50)
      return
    case 'loop':
      print({ type: 'error', severity: 'warning', message: 'Loop detected, stopping execution' })
      break
  }
  print({ type: 'result', status: 'success', stats: { total_tokens: 0, input_tokens: 0, output_tokens: 0 } })
}
