import { expect, test } from 'vitest'
import { STAGE_OUTPUTS, type VerifyItem } from '../contracts/outputs.ts'
import { withDistinctIds, worstVerdicts } from './spec-items.ts'

test.each([
  [['warn', 'pass'], 'warn'],
  [['pass', 'fail', 'warn'], 'fail'],
  [['pass', 'pass'], 'pass'],
] as const)('verdicts %j on one item count as %s', (results, worst) => {
  const items = results.map((result): VerifyItem => ({ ref: 'R1', result, evidence: result }))
  expect(worstVerdicts(items).get('R1')?.result).toBe(worst)
})

test('an id that another spec has gets a name of its own', () => {
  const items = [{ id: 'R1' }, { id: 'T2' }]
  expect(withDistinctIds(items, { taken: new Set(['R1', 'A1']), prefix: 'test' })).toEqual([
    { id: 'test:R1' },
    { id: 'T2' },
  ])
})

test('two items of one spec with the same id are refused, and the agent is told which', () => {
  const item = { owasp: 'A01', risk: 'r', control: 'c', check: 'c' }
  const answer = (...ids: string[]) =>
    STAGE_OUTPUTS.security_spec.safeParse({ items: ids.map((id) => ({ id, ...item })) })
  expect(answer('S1', 'S2').success).toBe(true)
  expect(answer('S1', 'S1').error?.message).toContain('two items have the id \\"S1\\"')
})
