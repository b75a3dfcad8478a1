// The entry of every npm script: `node scripts/run.mjs <what> [args...]` gets the tree ready and runs it.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SetupError, setup } from './setup.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const NO_UI = ['servers', 'cli', 'workflows', 'prompts']

/** `run`: arguments of node; `parts`: what of dist/ it needs (default all). */
const COMMANDS = {
  start: { run: ['dist/cli.js', 'start'] },
  demo: { run: ['dist/cli.js', 'demo'] },
  // the real agent with a scripted model on loopback: only in a clone, because the model belongs to the tests
  'demo-offline': { run: ['--import', 'tsx', 'test/agents/offline-demo.ts'] },
  test: { run: ['node_modules/vitest/vitest.mjs', 'run'] },
  'test:agents': { run: ['--import', 'tsx', 'test/agents/main.ts'], parts: NO_UI },
  check: { run: ['scripts/check.mjs'], parts: [] },
  bench: { run: ['--import', 'tsx', 'bench/main.ts'] },
  chaos: { run: ['--import', 'tsx', 'test/chaos/main.ts'], parts: NO_UI },
  'test:night': { run: ['--import', 'tsx', 'test/night/main.ts'], parts: NO_UI },
  'test:team': { run: ['--import', 'tsx', 'test/team/main.ts'], parts: NO_UI },
  gallery: { run: ['--import', 'tsx', 'test/gallery/main.ts'] },
  build: { run: [] },
}

const [asked = '', ...given] = process.argv.slice(2)
const isOffline = asked === 'demo' && given.includes('--offline')
const what = isOffline ? 'demo-offline' : asked
const args = isOffline ? given.filter((arg) => arg !== '--offline') : given
const command = COMMANDS[what]
if (!command) {
  console.error(`node scripts/run.mjs <${Object.keys(COMMANDS).join('|')}> [arguments]`)
  process.exit(64)
}
try {
  await setup(command.parts ? { parts: command.parts } : {})
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  console.error(error.message)
  process.exit(1)
}
process.exitCode = command.run.length === 0 ? 0 : await runNode([...command.run, ...args])

/** The exit code of node with these arguments. Ctrl-C reaches the child too, which decides how to end. */
async function runNode(argv) {
  const child = spawn(process.execPath, argv, { cwd: root, stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // a terminal sends Ctrl-C to the whole group already
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]))
  })
}
