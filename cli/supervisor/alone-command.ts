import { join } from 'node:path'
import { distDir } from '../../config/home.ts'
import { reachableAt } from '../../config/ports.ts'
import { type AskedToStop, askedToStop } from '../asked-to-stop.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { startNodeService } from './node-service.ts'
import { openHome, type Say, type StartCommandOptions } from './start-command.ts'
import { aborted } from './supervise.ts'

/**
 * `dispatch worker` and `dispatch api`: one of our servers alone, on the Postgres and Temporal that DATABASE_URL and TEMPORAL_ADDRESS name,
 * until Ctrl-C, which `interrupted` tells of, or SIGTERM. Whoever runs it starts it again when it ends by itself. Returns the exit code, or
 * throws, as `startCommand` does.
 */
export async function aloneCommand(
  name: 'worker' | 'api',
  options: StartCommandOptions,
  { say, interrupted }: { say: Say; interrupted: AbortSignal },
): Promise<number> {
  const asked = askedToStop(interrupted)
  const { config, env } = openHome(options)
  const { home, host, workerMetricsHost } = config
  const service = await startNodeService({
    ...{ name, entry: join(distDir(), `${name}.js`) },
    outFile: config.logTo === 'files' ? join(home.logs, `${name}.out`) : undefined,
    env: { ...env, DISPATCH_HOME: home.root, DISPATCH_PORT: String(config.port) },
    signal: asked,
  }).catch((error) => {
    if (!asked.aborted) throw error
    return (asked.reason as AskedToStop).exitCode
  })
  if (typeof service === 'number') return service
  const at = (where: string) => `http://${reachableAt(where, service.port as number)}`
  if (name === 'api' && ![0, service.port].includes(config.port))
    say.out(`port ${config.port} is in use`)
  say.out(
    name === 'api'
      ? `the API listens on ${at(host)}; for commands: export DISPATCH_URL=${at(host)}`
      : `the worker runs; its metrics: ${at(workerMetricsHost)}/metrics`,
  )
  say.out('Ctrl-C stops it.')
  const ended = await Promise.race([service.exited, aborted(asked)])
  if (typeof ended === 'string')
    throw new CliFailure('error', 'ended', `The ${name} ended: ${ended}.`, `See ${home.logs}.`)
  await service.stop()
  return EXIT.ok
}
