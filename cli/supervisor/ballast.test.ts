import { existsSync, rmSync, statSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { keepBallast } from './ballast.ts'

const MIB = 1024 ** 2

async function reserve(name = 'ballast') {
  const folder = await mkdtemp(join(tmpdir(), 'dispatch-ballast-'))
  const file = join(folder, name)
  const disk = { path: folder, freeBytes: 100 * MIB, totalBytes: 400 * MIB, low: false }
  const said: string[] = []
  let looks = 0
  const space = () => {
    looks += 1
    return disk
  }
  const end = keepBallast({
    ...{ file, say: (line) => said.push(line), space },
    ...{ bytes: 3 * MIB, fullBytes: 2 * MIB, lookEveryMs: 5, makeAfterMs: 0 },
  })
  onTestFinished(() => {
    end()
    rmSync(folder, { recursive: true })
  })
  const looked = async (times: number) => {
    const before = looks
    await expect.poll(() => looks).toBeGreaterThan(before + times)
  }
  return { file, disk, said, looked, size: () => (existsSync(file) ? statSync(file).size : 0) }
}

test('a reserve is kept, given up when the disk is full, and kept again when there is plenty', async () => {
  const { disk, said, looked, size } = await reserve()
  await expect.poll(size).toBe(3 * MIB)
  disk.freeBytes = MIB
  await expect.poll(size).toBe(0)
  expect(said).toEqual([
    `the disk of ${disk.path} is full: a reserve of 3 MB was given up so that nothing is lost; free some space`,
  ])
  disk.freeBytes = 20 * MIB // not yet plenty
  await looked(3)
  expect(size()).toBe(0)
  disk.freeBytes = 100 * MIB
  await expect.poll(size).toBe(3 * MIB)
})

test('a reserve that cannot be written is said once, and nothing is left of it', async () => {
  const { file, said } = await reserve('not-there/ballast')
  await expect.poll(() => said).toHaveLength(1)
  expect(said[0]).toMatch(/^no reserve could be kept on the disk of .*: ENOENT/)
  expect(existsSync(file)).toBe(false)
})
