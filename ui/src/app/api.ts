import { createBrowserClient } from '../../../client/browser.ts'
import type { Client } from '../../../client/caller.ts'
import { type Route, routes } from '../../../contracts/routes.ts'

/** The server that this page came from. */
export const BASE_URL = window.location.origin

const client = createBrowserClient(BASE_URL)

/** The keys of what was asked to be made and is not known to be made. */
const asked = new Map<string, string>()

/**
 * Calls a route of the contract: `call('getGoal', { params: { id } })`. Throws ProblemError with what to do. What makes
 * something makes it once: asked again with the same words after no answer came, the server knows it by its key.
 */
export const call: Client['call'] = async (name, input, options) => {
  if (!(routes[name] as Route).idempotent) return client.call(name, input, options)
  const what = JSON.stringify([name, input])
  const idempotencyKey = asked.get(what) ?? crypto.randomUUID()
  asked.set(what, idempotencyKey)
  const reply = await client.call(name, input, { ...options, idempotencyKey })
  asked.delete(what)
  return reply
}
