import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../config/home.ts'
import { DRIVERS } from './drivers.ts'
import { agentsPage, type VitestReport } from './page.ts'

/** What belongs to the matrix; the rest of the tests knows nothing of real agents. */
const FILES = [
  'test/agents',
  'test/journeys/claude.test.ts',
  'test/journeys/codex.test.ts',
  'test/journeys/gemini.test.ts',
  'test/journeys/acp.test.ts',
]

const say = (line: string) => void process.stdout.write(`${line}\n`)

/** `npm run test:agents`: plays the scenarios of all real agents and writes docs/agents.md from what happened. */
async function main(): Promise<number> {
  const root = packageRoot()
  // the last thing that may need a network
  for (const driver of DRIVERS) await driver.install(say)
  const folder = mkdtempSync(join(tmpdir(), 'dispatch-agents-'))
  const report = join(folder, 'report.json')
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const wall = walled()
  say(
    wall ? 'in a network namespace without a way out' : 'this machine allows no network namespace',
  )
  const [command = '', ...args] = [
    ...(wall ?? []),
    ...[process.execPath, vitest, 'run', ...reporters, ...FILES],
  ]
  const env = { ...process.env, DISPATCH_AGENT_MATRIX: '1' }
  const child = spawn(command, args, { cwd: root, env, stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  const results = JSON.parse(readFileSync(report, 'utf8')) as VitestReport
  rmSync(folder, { recursive: true })
  writeFileSync(join(root, 'docs/agents.md'), agentsPage(results, { isWalled: wall !== undefined }))
  return code ?? 1
}

/** What goes before a command that is to have loopback and nothing else; undefined where the machine does not allow it. */
function walled(): string[] | undefined {
  const isRoot = process.getuid?.() === 0
  const unshare = ['unshare', ...(isRoot ? [] : ['--map-root-user']), '--net']
  const wall = [...unshare, 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']
  const [command = '', ...args] = [...wall, 'true']
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0 ? wall : undefined
}

process.exitCode = await main()
