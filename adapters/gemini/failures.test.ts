import { expect, test } from 'vitest'
import { failureOf } from './failures.ts'

/** Messages and exit codes of Gemini CLI 0.61, as they were seen. */
const SEEN: readonly [message: string | undefined, code: number, stderr: string, reason: string][] =
  [
    [
      '[API Error: {"error":{"code":401,"message":"invalid x-api-key","status":"UNAUTHENTICATED"}}]',
      145,
      '',
      'auth',
    ],
    ['[API Error: model: fake not found]', 1, 'ModelNotFoundError: model: fake not found', 'model'],
    [
      '[API Error: You exceeded your current quota]\nPlease wait and try again later.',
      173,
      '',
      'rate_limit',
    ],
    [
      '[API Error: You exceeded your current quota]',
      173,
      'quotaId: GenerateRequestsPerDay',
      'quota',
    ],
    ['[API Error: internal]', 244, '', 'overloaded'],
    ['[API Error: The model is overloaded]', 247, '', 'overloaded'],
    ['[API Error: exception TypeError: fetch failed sending request]', 1, '', 'network'],
    [
      '[API Error: The input token count (1200000) exceeds the maximum number of tokens]',
      144,
      '',
      'context',
    ],
    [
      '[API Error: {"error":{"code":403,"message":"Requests from this IP address are blocked.","status":"PERMISSION_DENIED"}}]',
      147,
      '',
      'auth',
    ],
    ['[API Error: The prompt was blocked: PROHIBITED_CONTENT]', 144, '', 'refused'],
    ['[API Error: API key not valid. Please pass a valid API key.]', 144, '', 'auth'],
    [undefined, 42, 'Error resuming session: Invalid session identifier "x".', 'session'],
    [undefined, 41, 'Please set an Auth method in your settings.json', 'auth'],
    [undefined, 0, '', 'crash'],
  ]

test.each(SEEN)('%s (exit %i) %s is %s', (message, code, stderr, reason) => {
  const exit = { code, signal: null }
  const remains = { exit, stderr: [stderr], ...(message === undefined ? {} : { message }) }
  expect(failureOf(remains)).toMatchObject({ type: 'failed', reason })
})

test('the time until which a quota is used up', () => {
  const message =
    '[API Error: You have exhausted your capacity on this model. Your quota will reset after 1h.]'
  const failed = failureOf({ message, exit: { code: 173, signal: null }, stderr: [] })
  expect(failed).toMatchObject({ reason: 'quota' })
  const until = 'until' in failed ? Date.parse(failed.until ?? '') : 0
  expect(Math.abs(until - Date.now() - 3_600_000)).toBeLessThan(5000)
})
