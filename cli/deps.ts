import { createClient } from '../client/client.ts'
import { type Route, routes } from '../contracts/routes.ts'
import type { Deps, GlobalValues } from './command.ts'
import { callThroughRestart } from './restart.ts'
import { findHome, findServer } from './server-url.ts'

/** Real dependencies of the commands. Nothing is looked up before a command asks for it. */
export function createDeps(options: {
  env: Record<string, string | undefined>
  cwd: string
  signal: AbortSignal
  flags: Pick<GlobalValues, 'home' | 'url'>
}): Deps {
  const { env, cwd, signal, flags } = options
  const server = () => findServer(env, flags)
  const serverUrl = () => server().url
  return {
    call(name, input, callOptions) {
      const route: Route = routes[name]
      const key = route.idempotent ? { idempotencyKey: globalThis.crypto.randomUUID() } : undefined
      return callThroughRestart({
        server,
        signal,
        repeatable: route.method === 'GET' || key !== undefined,
        call: (baseUrl) => createClient({ baseUrl }).call(name, input, { ...callOptions, ...key }),
      })
    },
    async *subscribe(stream, { after, signal: ended }) {
      const { subscribe } = await import('../client/stream.ts')
      yield* subscribe({ baseUrl: serverUrl(), stream, after, signal: ended })
    },
    serverUrl,
    home: () => findHome(env, flags.home),
    env,
    cwd,
    signal,
  }
}
