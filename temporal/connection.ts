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
    // the worker's client prints a whole structure, with the system's words in it
    const why = /\bmessage: "([^"]+)"/.exec(cause.message)?.[1] ?? cause.message
    super(`no Temporal at ${address}: ${why}; ${hint}`, { cause })
  }
}

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
