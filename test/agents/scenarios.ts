import type { FailureReason } from '../../contracts/agent.ts'

/** What the provider does, the scenario of the model server that does it, and what Dispatch must hear of it. */
export const FAILURES = [
  ['401: the key is refused', '401', 'auth'],
  ['403: the key may not do this', '403', 'auth'],
  ['404: there is no such model', '404', 'model'],
  ['400: the request is refused', '400', 'refused'],
  ['429 for longer than it tries', '429-always', 'rate_limit'],
  ['429, come back in an hour', '429-long', 'rate_limit'],
  ['the quota is used up', 'no-credit', 'quota'],
  ['500: the provider fails', '500', 'overloaded'],
  ['503: the provider is away', '503', 'overloaded'],
  ['the provider is overloaded', '529', 'overloaded'],
  ['nobody listens there', 'refused', 'network'],
  ['the answer is cut off', 'drop', 'network'],
  ['the answer is garbage', 'garbage', 'network'],
  ['the provider takes the request and says nothing', 'hang', 'hung'],
  ['the provider stops in the middle', 'stall', 'hung'],
  ['the conversation does not fit the model', 'too-long', 'context'],
] as const satisfies readonly (readonly [string, string, FailureReason])[]
export type FailureName = (typeof FAILURES)[number][0]

/** What every agent is asked to do, in the order of docs/agents.md. */
export const SCENARIO_NAMES = [
  'writes a file and answers, counted to the token',
  'answers in the asked shape',
  'may only read: cannot write, by tools or by the shell',
  'streams its text',
  'its session is known before the model is asked',
  'killed by SIGKILL, it goes on with what was said, counted once',
  'paused and resumed in the same session',
  'a session that it does not know is told as such',
  'a correction is in the very next request to the model',
  'interrupted with a tool at work, it ends under 2 s',
  'killed, its shell and what that left behind are gone',
  'a conversation that was shortened is told',
  'a loop is told, and is no success',
  '429 with a short wait passes by itself',
  '500 once passes by itself',
  ...FAILURES.map(([name]) => name),
] as const
export type ScenarioName = (typeof SCENARIO_NAMES)[number]
