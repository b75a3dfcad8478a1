import { createBrowserClient } from '../../../client/browser.ts'

/** The server that this page came from. */
export const BASE_URL = window.location.origin

const client = createBrowserClient(BASE_URL)

/** Calls a route of the contract: `call('getGoal', { params: { id } })`. Throws ProblemError with what to do. */
export const call = client.call
