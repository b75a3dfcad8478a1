import { Connection } from '@temporalio/client'
import { isLoopback } from '../config/ports.ts'

export interface TemporalTarget {
  /** `host:port`. */
  address: string
  /** True, or paths resolved to PEM contents by the caller. An API key implies TLS. */
  tls?: boolean | { serverName?: string; ca?: Buffer; cert?: Buffer; key?: Buffer } | undefined
  apiKey?: string | undefined
  /** Milliseconds; default 10,000. */
  connectTimeoutMs?: number
}

/** Opens a client connection. Throws with the address and what to check when nothing answers in time. */
export async function connectTemporal(target: TemporalTarget): Promise<Connection> {
  try {
    return await Connection.connect({
      address: target.address,
      connectTimeout: target.connectTimeoutMs ?? 10_000,
      // gRPC takes `http_proxy` for every address, and no proxy leads back to this machine
      ...(isLocal(target.address) ? { channelArgs: { 'grpc.enable_http_proxy': 0 } } : {}),
      ...tlsOptions(target),
      ...(target.apiKey ? { apiKey: target.apiKey } : {}),
    })
  } catch (error) {
    throw new TemporalAway(target.address, error as Error)
  }
}

const isLocal = (address: string) => isLoopback(address.replace(/:\d+$/, ''))

/** Nothing answers as Temporal where it was said to be; the message says what to check. */
export class TemporalAway extends Error {
  readonly exitCode = 69
  constructor(address: string, cause: Error) {
    const hint =
      'is the server running, and does it want TLS or an API key (TEMPORAL_TLS, TEMPORAL_API_KEY)?'
    super(`no Temporal at ${address}: ${wordsOf(cause)}; ${hint}`, { cause })
  }
}

/** Temporal answers, but not for this namespace; the message says what to do. */
export class NamespaceClosed extends Error {
  readonly exitCode = 78
  constructor({ address, namespace }: { address: string; namespace: string }, cause: Error) {
    const make = `temporal operator namespace create --address ${address} --namespace ${namespace}`
    super(
      `The namespace ${namespace} of Temporal at ${address} cannot be used: ${wordsOf(cause)} See that it is there ("${make}" makes it) ` +
        'and that you may use it, or name another one: TEMPORAL_NAMESPACE (temporal.namespace in config.toml).',
      { cause },
    )
  }
}

/** The worker's client prints a whole structure, with the server's or the system's words in it. */
const wordsOf = ({ message }: Error) => /\bmessage: "([^"]+)"/.exec(message)?.[1] ?? message

/** TLS part of the SDK's connection options, the same for clients and workers. */
export function tlsOptions({ tls, apiKey }: TemporalTarget) {
  if (!tls && !apiKey) return {}
  if (!tls || tls === true) return { tls: true as const }
  return {
    tls: {
      ...(tls.serverName ? { serverNameOverride: tls.serverName } : {}),
      ...(tls.ca ? { serverRootCACertificate: tls.ca } : {}),
      ...(tls.cert && tls.key ? { clientCertPair: { crt: tls.cert, key: tls.key } } : {}),
    },
  }
}
