import fs, { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createCorrections } from './corrections.ts'

/** As a system answers whose watches are all in use, by an editor say. */
function withoutWatches() {
  const { watch } = fs
  const set = (as: typeof watch) => {
    fs.watch = as
    syncBuiltinESMExports()
  }
  set(() => {
    throw Object.assign(new Error('ENOSPC: no watches left'), { code: 'ENOSPC' })
  })
  onTestFinished(() => set(watch))
}

test('where no more files can be watched, a correction is handed over and told all the same', () => {
  const exchange = mkdtempSync(join(tmpdir(), 'dispatch-exchange-'))
  onTestFinished(() => rmSync(exchange, { recursive: true }))
  withoutWatches()
  const states: string[] = []
  const corrections = createCorrections(exchange, (id, state) => states.push(`${id} ${state}`))
  corrections.add({ id: 'c-1', text: 'Use tabs.' })
  // as the hook does
  renameSync(join(exchange, 'queue'), join(exchange, 'taken-1'))
  corrections.hooksRan()
  corrections.modelSpoke()
  corrections.stop()
  expect(states).toEqual(['c-1 queued', 'c-1 delivered', 'c-1 applied'])
})
