import { ConfigError, processConfig } from '../config/config.ts'
import { connectTemporal, TemporalAway } from './connection.ts'
import { NamespaceNotReady, prepareNamespace } from './search-attributes.ts'

/**
 * A job for a Temporal server that nobody else prepares: makes the namespace where it is missing, registers our search
 * attributes and sets how long closed workflows are kept. Safe to run at every start. Exit 69: no Temporal; 78: not configured.
 */
async function main(): Promise<void> {
  const { temporal } = processConfig()
  if (!temporal.address) throw new ConfigError('TEMPORAL_ADDRESS is not set')
  const { address, namespace, tls, apiKey } = temporal
  const connection = await connectTemporal({ address, tls, ...(apiKey ? { apiKey } : {}) })
  try {
    await prepareNamespace(connection, namespace, { make: true })
    process.stdout.write(`the namespace ${namespace} at ${address} is ready\n`)
  } finally {
    await connection.close()
  }
}

main().catch((error: Error) => {
  const isAway = error instanceof TemporalAway || error instanceof NamespaceNotReady
  const known = error instanceof ConfigError || isAway
  process.stderr.write(`${known ? error.message : error.stack}\n`)
  process.exitCode = error instanceof ConfigError ? 78 : isAway ? 69 : 1
})
