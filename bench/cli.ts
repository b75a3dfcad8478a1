import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { distDir } from '../config/home.ts'
import { startBenchStack } from './lib/bench-stack.ts'
import { benchEnv } from './lib/env.ts'
import { roundRobin } from './lib/round-robin.ts'
import { type Bench, compared } from './lib/row.ts'
import { timed } from './lib/stats.ts'

/** What a person waits for at the prompt. */
export const cli: Bench = {
  name: 'cli',
  async run() {
    const stack = await startBenchStack()
    const env = { ...benchEnv(), DISPATCH_HOME: stack.home.root }
    const program = join(distDir(), 'cli.cjs')
    try {
      const figures = await roundRobin({
        rounds: 20,
        subject: () => timed(() => run([program, 'goals', '--json'], env)),
        floor: () => timed(() => run(['-e', '0'], benchEnv())),
      })
      return [
        compared('cli.goals', '`dispatch goals --json`, server up', figures, {
          floor: '`node -e 0`',
          ...{ aim: '<= 60 ms', met: figures.subject <= 60 },
          peers: '13 ms (Go) to 832 ms',
          note: `the bundle has ${(statSync(program).size / 1000).toFixed(0)} kB`,
        }),
      ]
    } finally {
      await stack.close()
    }
  },
}

function run(args: readonly string[], env: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data) => {
        output += data
      })
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(output))))
  })
}
