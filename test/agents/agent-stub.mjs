#!/usr/bin/env node
// Stands in for an agent where the real one would never do it, or not without its program: speaks just enough of its wire to be driven.
// AGENT_STUB is `<wire>:<scenario>`; the wires are claude, codex, gemini and acp, the scenarios those of adapters/conformance.ts.
import { execSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const [wireName, how] = (process.env.AGENT_STUB ?? '').split(':')
if (process.argv.includes('--version')) {
  console.log('0.0.0 (stub)')
  process.exit(0)
}
/** Both `--name value` and `--name=value`. */
const argument = (name) => {
  const at = process.argv.findIndex((each) => each === name || each.startsWith(`${name}=`))
  return at < 0 ? undefined : (process.argv[at].split('=')[1] ?? process.argv[at + 1])
}
const store = join(process.env.HOME, '.agent-stub')
mkdirSync(store, { recursive: true })
const session = (id) => join(store, id)
const print = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)
const drained = () => new Promise((resolve) => process.stdout.write('', resolve))
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
/** Calls `hear` with each message; ends with its input, unless it is to hold out. */
const listen = (hear) =>
  createInterface({ input: process.stdin })
    .on('line', (line) => void hear(JSON.parse(line)))
    .on('close', () => how === 'ignore-signals' || process.exit(0))

if (how === 'ignore-signals') for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => {})

const COUNTS = { input: 100, output: 10, cacheRead: 50, cacheWrite: 5 }

/** One turn. `wire`: say, write, look (uses a tool that changes nothing), later (a message of another version), halfLine, longLine (head and tail of one), refuseLogin, stopped, between. */
async function play(wire) {
  switch (how) {
    case 'write-file':
      await wire.write('hello.txt', 'hello\n')
      break
    case 'slow':
    case 'ignore-signals':
      for (let at = 0; at < 120; at += 1) {
        wire.say(`word ${at} `)
        await pause(25)
        wire.between?.()
        if (wire.stopped?.() && how === 'slow') return 'stopped'
      }
      break
    case 'crash':
      wire.say('Something ')
      await drained()
      return process.kill(process.pid, 'SIGKILL')
    case 'exit-without-result':
      wire.say('Something ')
      await drained()
      return process.exit(0)
    case 'hang':
      return 'hangs'
    case 'garbage':
      process.stdout.write(`Warning: this is not JSON\n${wire.halfLine}\n[1,2]\nnull\n\n`)
      process.stdout.write(Buffer.from([0xc3, 0x28, 0xff, 0xfe, 0x0a]))
      wire.later()
      break
    case 'long-line':
      process.stdout.write(wire.longLine[0])
      for (let left = 50 * 16; left > 0; left -= 1) {
        process.stdout.write('x'.repeat(64 * 1024))
        await drained()
      }
      process.stdout.write(`${wire.longLine[1]}\n`)
      break
    case 'flood':
      for (let left = 50 * 256; left > 0; left -= 1) {
        wire.say('All work and no play. '.repeat(187).slice(0, 4096))
        if (left % 16 === 0) await drained()
      }
      break
    case 'leave-child':
      spawn(process.execPath, ['-e', 'setTimeout(() => {}, 600000)'], { detached: true, stdio: ['ignore', 'inherit', 'ignore'] })
      break
    case 'environment':
      wire.say(Object.entries(process.env).map(([name, value]) => `${name}=${value}`).join('\n'))
      break
    case 'not-logged-in':
      return wire.refuseLogin()
    case 'loop':
      for (let at = 0; at < 100; at += 1) {
        wire.look(`call-${at}`)
        await pause(20)
        if (wire.stopped?.()) return 'stopped'
      }
      break
    default:
      wire.say('I think about it. ')
  }
  return 'done'
}

function claude() {
  const id = argument('--resume') ?? argument('--session-id')
  const tell = (message) => print({ session_id: id, uuid: randomUUID(), ...message })
  const stream = (event) => tell({ type: 'stream_event', parent_tool_use_id: null, event })
  const result = (more) => tell({ type: 'result', subtype: 'success', is_error: false, result: '{}', model_usage_since_last_result: {}, ...more })
  const lifecycle = (command_uuid, state) => tell({ type: 'command_lifecycle', command_uuid, state })
  const waiting = []
  let begun = false
  let stopped = false
  const wire = {
    say: (text) => stream({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
    write(path, content) {
      const [callId, filePath] = [randomUUID(), join(process.cwd(), path)]
      tell({ type: 'assistant', parent_tool_use_id: null, message: { id: randomUUID(), content: [{ type: 'tool_use', id: callId, name: 'Write', input: { file_path: filePath, content } }] } })
      writeFileSync(path, content)
      tell({ type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: callId, content: 'written' }] }, tool_use_result: { type: 'create', filePath } })
    },
    look(id) {
      tell({ type: 'assistant', parent_tool_use_id: null, message: { id: randomUUID(), content: [{ type: 'tool_use', id, name: 'Bash', input: { command: 'ls' } }] } })
      tell({ type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: id, content: 'a.ts' }] } })
    },
    between: () => waiting.splice(0).forEach((uuid) => lifecycle(uuid, 'started')),
    stopped: () => stopped,
    halfLine: '{"type":"assistant","message":{"id":"half a li',
    longLine: ['{"type":"user","message":{"content":"', '"}}'],
    later: () => tell({ type: 'a_message_of_a_later_version', payload: { deep: true } }),
    refuseLogin() {
      tell({ type: 'assistant', parent_tool_use_id: null, error: 'authentication_failed', message: { id: randomUUID(), content: [] } })
      result({ is_error: true, api_error_status: 401, result: 'Invalid API key' })
    },
  }
  const work = async () => {
    if (argument('--resume') && !existsSync(session(id)))
      return result({ subtype: 'error_during_execution', is_error: true, errors: [`No conversation found with session ID: ${id}`] })
    writeFileSync(session(id), '')
    tell({ type: 'system', subtype: 'init', model: 'stub', capabilities: how === 'tells-no-messages' ? [] : ['msg_lifecycle_v1'] })
    stream({ type: 'message_start', message: { id: 'msg_1', usage: { input_tokens: COUNTS.input, cache_read_input_tokens: COUNTS.cacheRead, cache_creation_input_tokens: COUNTS.cacheWrite } } })
    const end = await play(wire)
    if (end === 'stopped') return result({ subtype: 'error_during_execution', is_error: true, terminal_reason: 'aborted_streaming' })
    if (end !== 'done') return
    stream({ type: 'message_delta', usage: { output_tokens: COUNTS.output } })
    const { input, output, cacheRead, cacheWrite } = COUNTS
    const usage = { inputTokens: input, outputTokens: output, cacheReadInputTokens: cacheRead, cacheCreationInputTokens: cacheWrite, costUSD: 0.01 }
    result({ structured_output: {}, model_usage_since_last_result: { stub: usage } })
  }
  listen(({ type, request_id, request, uuid }) => {
    if (type === 'control_request') {
      stopped ||= request.subtype === 'interrupt'
      const response = request.subtype === 'initialize' ? { commands: [], models: [], account: {} } : {}
      print({ type: 'control_response', response: { subtype: 'success', request_id, response } })
    }
    if (type !== 'user') return
    if (!begun) return void work((begun = true))
    lifecycle(uuid, 'queued')
    waiting.push(uuid)
  })
}

function codex() {
  const turnId = randomUUID()
  let threadId = randomUUID()
  const notify = (method, params) => print({ method, params: { threadId, turnId, ...params } })
  const waiting = []
  let stopped = false
  const counts = { inputTokens: COUNTS.input + COUNTS.cacheRead + COUNTS.cacheWrite, cachedInputTokens: COUNTS.cacheRead, cacheWriteInputTokens: COUNTS.cacheWrite, outputTokens: COUNTS.output, reasoningOutputTokens: 0 }
  const over = (status, error = null) => notify('turn/completed', { turn: { id: turnId, status, items: [], error } })
  const wire = {
    say: (delta) => notify('item/agentMessage/delta', { itemId: 'msg_1', delta }),
    write(path, content) {
      const item = { type: 'fileChange', id: 'call_1', changes: [{ path: join(process.cwd(), path), kind: { type: 'add' } }] }
      notify('item/started', { item: { ...item, status: 'inProgress' } })
      writeFileSync(path, content)
      notify('item/completed', { item: { ...item, status: 'completed' } })
    },
    look(id) {
      const item = { type: 'commandExecution', id, command: 'ls' }
      notify('item/started', { item: { ...item, status: 'inProgress' } })
      notify('item/completed', { item: { ...item, status: 'completed', exitCode: 0, aggregatedOutput: 'a.ts' } })
    },
    between: () => waiting.splice(0).forEach((clientId) => notify('item/started', { item: { type: 'userMessage', id: randomUUID(), clientId, content: [] } })),
    stopped: () => stopped,
    halfLine: '{"method":"item/started","params":{"item":{"id":"half a li',
    longLine: ['{"method":"item/completed","params":{"item":{"id":"', '"}}}'],
    later: () => notify('something/ofALaterVersion', { payload: { deep: true } }),
    refuseLogin: () => over('failed', { message: 'unexpected status 401 Unauthorized', codexErrorInfo: { httpConnectionFailed: { httpStatusCode: 401 } } }),
  }
  const work = async () => {
    const end = await play(wire)
    if (end === 'stopped') return over('interrupted')
    if (end !== 'done') return
    notify('item/completed', { item: { type: 'agentMessage', id: 'msg_1', text: '{}' } })
    notify('thread/tokenUsage/updated', { tokenUsage: { total: counts, last: counts } })
    over('completed')
  }
  listen(({ id, method, params }) => {
    const answer = (result) => print({ id, result })
    switch (method) {
      case 'initialize':
        return answer({ userAgent: 'dispatch/0.169.0 (stub)' })
      case 'config/read':
        return answer({ config: {} })
      case 'thread/start':
        writeFileSync(session(threadId), '')
        return answer({ thread: { id: threadId }, model: 'stub' })
      case 'thread/resume':
        threadId = params.threadId
        if (existsSync(session(threadId))) return answer({ thread: { id: threadId }, model: 'stub' })
        return print({ id, error: { code: -32600, message: `no rollout found for thread id ${threadId}` } })
      case 'turn/start':
        answer({ turn: { id: turnId, status: 'inProgress' } })
        return work()
      case 'turn/steer':
        answer({ turnId })
        return waiting.push(params.clientUserMessageId)
      case 'turn/interrupt':
        stopped = true
        return answer({})
    }
  })
}

async function gemini() {
  const id = argument('--resume') ?? argument('--session-id')
  const tell = (message) => print({ timestamp: new Date().toISOString(), ...message })
  const hooks = join(process.env.GEMINI_CLI_HOME ?? '', '.gemini/extensions/dispatch/hooks/hooks.json')
  const hook = (name) => JSON.parse(readFileSync(hooks, 'utf8')).hooks[name].map(({ hooks: [{ command }] }) => execSync(command, { encoding: 'utf8' })).join('')
  const wire = {
    say: (content) => tell({ type: 'message', role: 'assistant', content, delta: true }),
    write(path, content) {
      tell({ type: 'tool_use', tool_name: 'write_file', tool_id: 'call_1', parameters: { file_path: path, content } })
      writeFileSync(path, content)
      tell({ type: 'tool_result', tool_id: 'call_1', status: 'success' })
    },
    look(id) {
      tell({ type: 'tool_use', tool_name: 'run_shell_command', tool_id: id, parameters: { command: 'ls' } })
      tell({ type: 'tool_result', tool_id: id, status: 'success', output: 'a.ts' })
    },
    halfLine: '{"type":"message","role":"assist',
    longLine: ['{"type":"tool_result","tool_id":"x","output":"', '"}'],
    later: () => tell({ type: 'a_message_of_a_later_version', payload: { deep: true } }),
    refuseLogin() {
      process.stderr.write('Please set an Auth method in your settings.json\n')
      process.exit(41)
    },
  }
  for await (const _ of process.stdin);
  if (argument('--resume') && !existsSync(session(id))) {
    process.stderr.write(`Error resuming session: Invalid session identifier "${id}".\n`)
    process.exit(42)
  }
  writeFileSync(session(id), '')
  tell({ type: 'init', session_id: id, model: 'stub' })
  const end = await play(wire)
  if (end === 'hangs') return void setInterval(() => {}, 60_000)
  const said = hook('AfterAgent')
  if (said !== '') {
    tell({ type: 'error', severity: 'warning', message: `Agent execution blocked: ${JSON.parse(said).reason}` })
    for (let at = 0; at < 40; at += 1) {
      wire.say('I go on. ')
      await pause(25)
    }
  }
  const { input, output, cacheRead } = COUNTS
  const stats = { input, cached: cacheRead, input_tokens: input + cacheRead, output_tokens: output, total_tokens: input + cacheRead + output }
  wire.say('\n{}')
  tell({ type: 'result', status: 'success', stats })
}

function acp() {
  const send = (message) => print({ jsonrpc: '2.0', ...message })
  const asked = new Map()
  let nextId = 100
  const ask = (method, params) =>
    new Promise((resolve) => {
      asked.set(nextId, resolve)
      send({ id: nextId, method, params })
      nextId += 1
    })
  let sessionId
  let cancelled = false
  let turns = 0
  const update = (body) => send({ method: 'session/update', params: { sessionId, update: body } })
  const wire = {
    say: (text) => update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } }),
    async write(name, text) {
      const call = { toolCallId: 'call-1', title: `Write ${name}`, kind: 'edit', rawInput: { path: name } }
      update({ sessionUpdate: 'tool_call', status: 'pending', ...call })
      const options = [{ optionId: 'yes', name: 'Allow', kind: 'allow_once' }, { optionId: 'no', name: 'Reject', kind: 'reject_once' }]
      const { outcome } = await ask('session/request_permission', { sessionId, toolCall: call, options })
      const ok = outcome.optionId === 'yes'
      const path = join(process.cwd(), name)
      if (ok) writeFileSync(path, text)
      const content = ok ? [{ type: 'diff', path, oldText: null, newText: text }] : []
      update({ sessionUpdate: 'tool_call_update', toolCallId: 'call-1', status: ok ? 'completed' : 'failed', content })
    },
    look(toolCallId) {
      update({ sessionUpdate: 'tool_call', toolCallId, status: 'pending', title: 'Run', kind: 'execute', rawInput: {} })
      update({ sessionUpdate: 'tool_call_update', toolCallId, title: 'ls', rawInput: { command: 'ls' } })
      update({ sessionUpdate: 'tool_call_update', toolCallId, status: 'completed', rawOutput: 'a.ts' })
    },
    stopped: () => cancelled,
    halfLine: '{"jsonrpc":"2.0","meth',
    longLine: ['{"jsonrpc":"2.0","method":"', '"}'],
    later: () => update({ sessionUpdate: 'an_update_of_a_later_version', payload: {} }),
  }
  const end = (id, stopReason = 'end_turn') =>
    send({ id, result: { stopReason, usage: { inputTokens: COUNTS.input, outputTokens: COUNTS.output, cachedReadTokens: COUNTS.cacheRead, cachedWriteTokens: COUNTS.cacheWrite, totalTokens: 165 } } })
  const work = async (id) => {
    turns += 1
    const refuseLogin = () => send({ id, error: { code: -32000, message: 'Authentication required' } })
    const ended = await play({ ...wire, refuseLogin })
    if (ended === 'stopped') return end(id, 'cancelled')
    if (ended !== 'done') return
    wire.say(`\n{"turn":${turns}}`)
    end(id)
  }
  const modes = { currentModeId: 'default', availableModes: [{ id: 'default', name: 'Default' }, { id: 'plan', name: 'Plan' }] }
  listen(({ id, method, params, result }) => {
    if (method === undefined) return asked.get(id)?.(result)
    switch (method) {
      case 'initialize':
        return send({ id, result: { protocolVersion: 1, agentCapabilities: { loadSession: how !== 'no-load' } } })
      case 'session/new':
        sessionId = randomUUID()
        writeFileSync(session(sessionId), '')
        return send({ id, result: { sessionId, modes } })
      case 'session/load':
        sessionId = params.sessionId
        if (!existsSync(session(sessionId))) return send({ id, error: { code: -32002, message: 'Resource not found' } })
        for (const text of readFileSync(session(sessionId), 'utf8').split('\n')) wire.say(`earlier: ${text}`)
        return send({ id, result: {} })
      case 'session/set_mode':
        return send({ id, result: {} })
      case 'session/cancel':
        cancelled = true
        return
      case 'session/prompt':
        appendFileSync(session(sessionId), `${params.prompt[0].text}\n`)
        return work(id)
      default:
        return send({ id, error: { code: -32601, message: 'Method not found' } })
    }
  })
}

const WIRES = { claude, codex, gemini, acp }
void WIRES[wireName]()
