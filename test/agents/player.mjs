#!/usr/bin/env node
// Stands in for an agent by playing what the real one did (recorder.mjs): says what that said, writes what that wrote, and waits wherever the
// recording shows that the client said or did something. Ids, folders and numbers of requests become those of today. PLAYER_FILE is the recording.
import { execSync } from 'node:child_process'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const PATIENCE_MS = 20_000
const { PLAYER_FILE: file, HOME: home, GEMINI_CLI_HOME: hooksHome } = process.env

/** Each start of a test plays the next run of its recording. */
function nextRun() {
  const counter = `${home}/.played`
  appendFileSync(counter, '.')
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line))
  const starts = lines.flatMap(({ run }, at) => (run ? [at] : []))
  const number = readFileSync(counter, 'utf8').length
  if (number > starts.length) giveUp(`has ${starts.length} runs, this is one more`)
  return lines.slice(starts[number - 1], starts[number])
}

function giveUp(why) {
  process.stderr.write(`The recording ${file} ${why}. Made anew by: npm run recordings\n`)
  process.exit(1)
}

/** What stands in the recording, and what stands for it today. */
const names = new Map()
const numbers = new Map()
const today = (recorded) => JSON.parse([...names].reduce((text, [from, to]) => text.replaceAll(from, to), JSON.stringify(recorded)))
const isName = (value) => typeof value === 'string' && /^\S{8,}$/.test(value)
/** Where the same place has another name today, that one stands for it from now on. */
function learn(recorded, live) {
  if (isName(recorded) && isName(live)) {
    if (today(recorded) !== live) names.set(recorded, live)
  } else if (typeof recorded === 'object' && typeof live === 'object')
    for (const key of Object.keys(recorded ?? {})) learn(recorded[key], live?.[key])
}

/** What the client said and did, and nothing has waited for yet. */
const heard = []
let wake = () => {}
const hear = (what) => {
  heard.push(what)
  wake()
}
createInterface({ input: process.stdin })
  .on('line', (line) => hear({ client: parsed(line) }))
  .on('close', () => hear({ closed: true }))
process.on('SIGINT', () => hear({ signal: 'SIGINT' }))
function parsed(line) {
  try {
    return JSON.parse(line)
  } catch {
    return line
  }
}

/** Two of a kind stand for each other: the same request, an answer to the same request, any line of words. */
const kindOf = ({ client, ...done }) =>
  client?.method ?? (client?.type ? [client.type, client.request?.subtype].join() : JSON.stringify(client === undefined ? done : client.id))

async function waitFor(recorded) {
  const isIt = (each) => kindOf(each) === kindOf(recorded)
  const late = setTimeout(() => giveUp(`waits for ${JSON.stringify(recorded)}, heard was ${JSON.stringify(heard)}`), PATIENCE_MS)
  while (!heard.some(isIt)) await new Promise((resolve) => (wake = resolve))
  clearTimeout(late)
  const [live] = heard.splice(heard.findIndex(isIt), 1)
  learn(recorded.client, live.client)
  if (live.client?.id !== undefined && live.client.method) numbers.set(recorded.client.id, live.client.id)
}

async function say(recorded) {
  // its hook said this: it takes what waits for the end of the turn
  if (/^Agent execution blocked: /.test(recorded.message)) await runHook('AfterAgent')
  const message = today(recorded)
  if (message.method === undefined && numbers.has(message.id)) message.id = numbers.get(message.id)
  process.stdout.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`)
}

async function runHook(name) {
  const { hooks } = JSON.parse(readFileSync(`${hooksHome}/.gemini/extensions/dispatch/hooks/hooks.json`, 'utf8'))
  const run = () => hooks[name].map(({ hooks: [{ command }] }) => execSync(command, { encoding: 'utf8' })).join('')
  const until = Date.now() + PATIENCE_MS
  while (run() === '') {
    if (Date.now() > until) giveUp(`shows that the hook ${name} spoke, and it says nothing`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const drained = (stream) => new Promise((resolve) => stream.write('', resolve))

const [{ run }, ...lines] = nextRun()
names.set(run.cwd, process.cwd())
names.set(run.home, home)
learn(run.args, process.argv.slice(2))
for (const { agent, stderr, wrote, exit, ...client } of lines) {
  if (agent !== undefined) await say(agent)
  else if (stderr !== undefined) process.stderr.write(`${today(stderr)}\n`)
  else if (wrote) writeFileSync(wrote.path, wrote.content)
  else if (exit) {
    await Promise.all([process.stdout, process.stderr].map(drained))
    if (exit.signal) process.kill(process.pid, exit.signal)
    else process.exit(exit.code)
  } else await waitFor(client)
}
// it was killed: nothing more is known of it
setInterval(() => {}, 60_000)
