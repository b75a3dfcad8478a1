import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

/** The runner's programs as they are shipped, built into a temp folder. For tests; `remove` takes the folder away. */
export async function buildForTests() {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  const folder = mkdtempSync(join(tmpdir(), 'dispatch-built-'))
  await build({
    entryPoints: {
      runner: 'runner/main.ts',
      spawner: 'runner/spawner.ts',
      'spawner-service': 'runner/spawner-service.ts',
      'demo-agent': 'adapters/demo/agent.ts',
    },
    outdir: folder,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: Object.keys(dependencies),
    logLevel: 'error',
    outExtension: { '.js': '.mjs' },
  })
  return {
    runner: join(folder, 'runner.mjs'),
    spawner: join(folder, 'spawner.mjs'),
    spawnerService: join(folder, 'spawner-service.mjs'),
    demoAgent: join(folder, 'demo-agent.mjs'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
