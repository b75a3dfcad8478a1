import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readServerFile } from '../cli/supervisor/server-file.ts'
import { packageRoot, packageVersion, shortSocketDir } from '../config/home.ts'
import { npm } from './support/npm.ts'

const run = promisify(execFile)
const MOST_MEGABYTES = 800

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dispatch-pack-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }), 120_000) // tens of thousands of files

test('the packed program installs elsewhere, starts outside the clone, and brings no tests', async () => {
  const here = { cwd: packageRoot() }
  await npm(['pack', '--ignore-scripts', '--pack-destination', folder], here)
  const [tarball = ''] = readdirSync(folder)
  const prefix = join(folder, 'prefix')
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline']
  await npm(['install', '-g', '--prefix', prefix, ...quiet, join(folder, tarball)], here)

  const installed = join(prefix, 'lib', 'node_modules', 'dispatch-agents')
  const own = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter(
    (file) => !file.startsWith('node_modules'),
  )
  expect(own.filter((file) => /\.test\.|\.tsx?$|^test/.test(file))).toEqual([])
  expect(own).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'dist/worker.js']))
  const { stdout: size } = await run('du', ['-sm', prefix])
  expect(Number(size.split('\t')[0])).toBeLessThan(MOST_MEGABYTES)

  await usedBy(join(prefix, 'bin', 'dispatch'))
}, 600_000) // npm writes 740 MB, and waits for the registry where its cache is empty

async function usedBy(dispatch: string) {
  const home = join(folder, 'new', 'home')
  const { PATH, HOME } = process.env
  const options = { cwd: folder, env: { PATH, HOME, DISPATCH_HOME: home } }
  const { stdout: version } = await run(dispatch, ['--version'], options)
  expect(version).toBe(`dispatch ${packageVersion()}\n`)

  mkdirSync(home, { recursive: true })
  const served = untilServing(home)
  const server = spawn(dispatch, ['start', '--port', '24400', '--temporal-port', '27233'], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(server, 'exit')
  let output = ''
  for (const stream of [server.stdout, server.stderr])
    stream.on('data', (data: Buffer) => {
      output += data
    })
  try {
    const failed = ended.then(() => Promise.reject(new Error(`it did not start:\n${output}`)))
    await Promise.race([served, failed])
    const { stdout: state } = await run(dispatch, ['status', '--json'], options)
    expect(JSON.parse(state)).toBeTypeOf('object')
    const { url = '' } = readServerFile(join(home, 'server.json')) ?? {}
    expect(await (await fetch(url)).text()).toContain('<div id="root">')
    const { stdout: stopped } = await run(dispatch, ['stop'], options)
    expect(stopped).toContain('stopped Dispatch')
  } finally {
    server.kill('SIGTERM')
    await ended
    rmSync(shortSocketDir(home), { recursive: true, force: true })
  }
}

/** `server.json` is written last. */
function untilServing(home: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(home, () => {
      if (!existsSync(join(home, 'server.json'))) return
      watcher.close()
      resolve()
    })
  })
}
