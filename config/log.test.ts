import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { until } from '../test/support/until.ts'
import { createLogger, keepRolling, logFiles, readLogs } from './log.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dispatch-log-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('the log of a server that runs begins anew when it has grown, also while it is written', async () => {
  const file = join(dir, 'temporal.log')
  const missing = join(dir, 'none.log')
  const server = openSync(file, 'a', 0o600)
  const end = keepRolling([missing, file], () => undefined, 20)
  try {
    writeSync(server, Buffer.alloc(10 * 1024 * 1024, 'x'))
    writeSync(server, 'the first\n')
    await until(() => statSync(file).size === 0, { ms: 5_000, what: 'a new beginning' })
    writeSync(server, 'the second\n')
    expect(readFileSync(file, 'utf8')).toBe('the second\n')
    expect(readFileSync(`${file}.old`, 'utf8').slice(-10)).toBe('the first\n')
    expect(statSync(`${file}.old`).mode & 0o777).toBe(0o600)
  } finally {
    end()
    closeSync(server)
  }
})

test('lines are JSON, private, without secrets, and can be followed', async () => {
  const log = await createLogger({ service: 'worker', level: 'info', dir })
  log.info({ password: 'hunter2', run: { token: 'abc' } }, 'one')
  const stop = new AbortController()
  const lines: { msg: string }[] = []
  for await (const line of readLogs({
    dir,
    service: 'worker',
    follow: true,
    signal: stop.signal,
  })) {
    lines.push(JSON.parse(line))
    if (lines.length === 1) log.info('two')
    else stop.abort()
  }
  expect(lines.map((line) => line.msg)).toEqual(['one', 'two'])
  expect(lines[0]).toMatchObject({
    service: 'worker',
    password: '[Redacted]',
    run: { token: '[Redacted]' },
  })
  const [file = ''] = logFiles(dir, 'worker')
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('a service that never logged has no lines, nor has one of a home that was never started', async () => {
  const lines: string[] = []
  for await (const line of readLogs({ dir, service: 'api' })) lines.push(line)
  const nowhere = join(dir, 'none')
  for await (const line of readLogs({ dir: nowhere, service: 'api', follow: true }))
    lines.push(line)
  expect(lines).toEqual([])
})

test('a character that two readings share is one, and a file that begins anew is read anew', async () => {
  const file = join(dir, 'postgres.log')
  const long = `x${'€'.repeat(300_000)}`
  writeFileSync(file, `${long}\n`)
  const stop = new AbortController()
  const options = { dir, service: 'postgres', follow: true, signal: stop.signal }
  const lines: string[] = []
  for await (const line of readLogs(options)) {
    lines.push(line)
    if (lines.length === 1) {
      renameSync(file, `${file}.old`)
      writeFileSync(file, 'new\n')
    } else stop.abort()
  }
  expect(lines[0] === long).toBe(true)
  expect(lines[1]).toBe('new')
})
