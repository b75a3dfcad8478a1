import { createClient } from '../client/client.ts'
import { nodeHttp } from '../client/node-http.ts'
import type { createStreams } from '../client/stream.ts'
import { type Route, routes } from '../contracts/routes.ts'
import type { Deps, GlobalValues } from './command.ts'
import { callThroughRestart } from './restart.ts'
import { findHome, findServer } from './server-url.ts'

/** Whoever only looks does not wait for the answer when Ctrl-C is pressed meanwhile. */
async function unlessInterrupted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  const answered = new AbortController()
  const interrupted = new Promise<never>((_, reject) => {
    const interrupt = () => reject(new Error('interrupted'))
    signal.addEventListener('abort', interrupt, { signal: answered.signal })
  })
  return Promise.race([answer, interrupted]).finally(() => answered.abort())
}

/** Real dependencies of the commands. Nothing is looked up before a command asks for it. */
export function createDeps(options: {
  env: Record<string, string | undefined>
  cwd: string | undefined
  signal: AbortSignal
  flags: Pick<GlobalValues, 'home' | 'url'>
  /** A line to the person who waits. */
  note: (line: string) => void
}): Deps {
  const { env, cwd, signal, flags, note } = options
  const server = () => findServer(env, flags)
  const serverUrl = () => server().url
  let streams: Promise<ReturnType<typeof createStreams>> | undefined
  return {
    call(name, input, wait) {
      const route: Route = routes[name]
      const key = route.idempotent ? { idempotencyKey: globalThis.crypto.randomUUID() } : undefined
      return callThroughRestart({
        ...{ server, signal, note },
        repeatable: route.method === 'GET' || key !== undefined,
        call: (baseUrl) => {
          const answer = createClient({
            baseUrl,
            transport: (request) => nodeHttp(request, wait?.seconds),
          }).call(name, input, key)
          return route.method === 'GET' ? unlessInterrupted(answer, signal) : answer
        },
      })
    },
    async *subscribe(stream, subscription) {
      streams ??= import('../client/stream.ts').then(({ createStreams }) =>
        createStreams({ baseUrl: serverUrl() }),
      )
      yield* (await streams)(stream, subscription)
    },
    serverUrl,
    home: () => findHome(env, flags.home),
    env,
    cwd,
    signal,
  }
}
