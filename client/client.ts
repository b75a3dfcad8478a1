import { type Client as Caller, createCaller, type Transport } from './caller.ts'
import { nodeHttp } from './node-http.ts'

export type Client = Caller

/** The client for Node: `createClient({ baseUrl }).call('getGoal', { params: { id: 'G-12' } })`. */
export function createClient(options: { baseUrl: string; transport?: Transport }): Client {
  return createCaller({ transport: (request) => nodeHttp(request), ...options })
}
