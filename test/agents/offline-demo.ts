import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { findClaude } from '../../adapters/claude/find-claude.ts'
import { processEnv } from '../../config/config.ts'
import { distDir } from '../../config/home.ts'
import { startModelServer } from '../model-server/model-server.ts'
import { installClaude } from './install.ts'
import { withClaude } from './offline-arguments.ts'

/**
 * `npm run demo -- --offline`: the demo with the real Claude Code and a scripted model on loopback. Needs no login,
 * no network (but to install Claude Code once where there is none) and costs nothing. The person's own configuration is left alone.
 */
async function main(given: string[]): Promise<number> {
  const args = withClaude(given)
  const say = (line: string) => process.stdout.write(`${line}\n`)
  const claude = findClaude(processEnv()) ?? (await installClaude(say))
  const model = await startModelServer()
  const config = mkdtempSync(join(tmpdir(), 'dispatch-offline-'))
  say(`Offline: Claude Code is the real one (${claude}), its model is a script on ${model.port}.`)
  say('Tokens and cost are what that script says, not what anybody pays.')
  const own = Object.entries(processEnv()).filter(([name]) => !/^(?:ANTHROPIC|CLAUDE)_/.test(name))
  const env = {
    ...Object.fromEntries(own),
    PATH: `${dirname(claude)}${delimiter}${processEnv()['PATH'] ?? ''}`,
    CLAUDE_CONFIG_DIR: config,
    ANTHROPIC_BASE_URL: model.url('pipeline', 'demo'),
    ANTHROPIC_API_KEY: 'sk-ant-not-a-key',
  }
  const child = spawn(process.execPath, [join(distDir(), 'cli.js'), 'demo', ...args], {
    env,
    stdio: 'inherit',
  })
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => {
      // a terminal sends Ctrl-C to the whole group already
      if (name !== 'SIGINT' || !process.stdin.isTTY) child.kill(name)
    })
  const [code] = (await once(child, 'exit')) as [number | null]
  await model.close()
  rmSync(config, { recursive: true, force: true, maxRetries: 5 })
  return code ?? 1
}

process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`)
  return 1
})
