import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLogger, logFiles, readLogs } from './log.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dispatch-log-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

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

test('a service that never logged has no lines', async () => {
  const lines: string[] = []
  for await (const line of readLogs({ dir, service: 'api' })) lines.push(line)
  expect(lines).toEqual([])
})
