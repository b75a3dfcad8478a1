import { expect, test } from 'vitest'
import { isDiskFull, reasonOfLowDisk } from './disk.ts'

test.each([
  [{ code: 'ENOSPC' }, true],
  [{ code: '53100', message: 'could not extend file' }, true],
  [new Error('git failed (128): fatal: write error: No space left on device'), true],
  [{ code: 'ECONNREFUSED' }, false],
  [undefined, false],
])('%o is a full disk: %s', (error, full) => expect(isDiskFull(error)).toBe(full))

test('a low disk is told with what is left, where, and what to do', () => {
  const disk = { path: '/srv/d', freeBytes: 300 * 1024 ** 2 + 5, low: true }
  expect(reasonOfLowDisk(disk)).toBe('disk almost full: 300 MB free on /srv/d; free some space')
  expect(reasonOfLowDisk({ ...disk, low: false })).toBeUndefined()
})
