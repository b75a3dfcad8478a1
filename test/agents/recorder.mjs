#!/usr/bin/env node
// Stands before the real program and writes down the whole conversation, line by line, in the order in which it happened: what the client said
// and did, what the agent said, and the files that it wrote into its folder meanwhile. recorded.ts cleans it, player.mjs plays it.
import { spawn } from 'node:child_process'
import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const { RECORDER_PROGRAM: program, RECORDER_FILE: file, ...env } = process.env
const [cwd, args] = [process.cwd(), process.argv.slice(2)]
/** At once: it may be killed at any moment. */
const note = (what) => appendFileSync(file, `${JSON.stringify(what)}\n`)
const parsed = (line) => {
  try {
    return JSON.parse(line)
  } catch {
    return line
  }
}

const known = new Map()
function noteFiles() {
  for (const entry of readdirSync(cwd, { withFileTypes: true })) {
    if (!entry.isFile()) continue
    const content = readFileSync(join(cwd, entry.name), 'utf8')
    if (known.get(entry.name) === content) continue
    known.set(entry.name, content)
    note({ wrote: { path: entry.name, content } })
  }
}

note({ run: { args, cwd, home: env.HOME } })
const child = spawn(program, args, { env, stdio: 'pipe' })
createInterface({ input: process.stdin })
  .on('line', (line) => {
    note({ client: parsed(line) })
    child.stdin.write(`${line}\n`)
  })
  .on('close', () => {
    note({ closed: true })
    child.stdin.end()
  })
child.stdin.on('error', () => {}) // it has ended
createInterface({ input: child.stdout }).on('line', (line) => {
  noteFiles()
  note({ agent: parsed(line) })
  process.stdout.write(`${line}\n`)
})
createInterface({ input: child.stderr }).on('line', (line) => {
  note({ stderr: line })
  process.stderr.write(`${line}\n`)
})
process.on('SIGINT', () => {
  note({ signal: 'SIGINT' })
  child.kill('SIGINT')
})
child.on('close', (code, signal) => {
  note({ exit: { code, signal } })
  if (signal) process.kill(process.pid, signal)
  else process.exitCode = code
  process.stdin.destroy()
})
