// Every static check, with its seconds: `npm run check`. As many at once as there are cores; output only of those that fail.
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const bin = (name) => join(root, 'node_modules', '.bin', name)
const folders = ['contracts', 'domain', 'config', 'client', 'db', 'git', 'adapters', 'prompts', 'runner', 'temporal', 'activities', 'workflows', 'worker', 'api', 'cli', 'ui', 'bench']

const CHECKS = [
  { name: 'types', run: [bin('tsc'), '-p', '.'] },
  { name: 'types of the UI', run: [bin('tsc'), '-p', 'ui', '--noEmit'] },
  { name: 'layers', run: [bin('depcruise'), '--config', '.dependency-cruiser.cjs', ...folders] },
  { name: 'style', run: [bin('biome'), 'ci', '--diagnostic-level=error', ...folders, 'test', 'vitest.config.ts'] },
  { name: 'unused', run: [bin('knip')] },
  // warnings there are about taste (order of keys, quotes); errors are about what does not work
  { name: 'compose file', run: [bin('dclint'), '--quiet', 'docker-compose.yml'] },
  { name: 'workflow bundle', run: [process.execPath, 'scripts/build.mjs', '--force', 'workflows'] },
]

const queue = [...CHECKS]
const failed = []
await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker))
if (failed.length > 0) console.error(`failed: ${failed.join(', ')}`)
process.exitCode = failed.length > 0 ? 1 : 0

async function worker() {
  for (let check = queue.shift(); check; check = queue.shift()) {
    const started = performance.now()
    const { code, output } = await run(check.run)
    const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(5)
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${seconds} s  ${check.name}`)
    if (code === 0) continue
    failed.push(check.name)
    console.log(output)
  }
}

function run([command, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' } })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { output += data })
    child.once('error', (error) => resolve({ code: 127, output: error.message }))
    child.once('close', (code) => resolve({ code, output }))
  })
}
