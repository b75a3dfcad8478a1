import { expect, test } from 'vitest'
import { problemsOf, toldOfProblems } from './conclude.ts'

test('whoever mends what verify found is told of each of it, however much there is', () => {
  const refs = Array.from({ length: 12 }, (_, n) => `REQ-${n + 1}`)
  const evidence = `seen: ${'x'.repeat(400)}`
  const items = refs.map((ref) => ({ ref, result: 'fail' as const, evidence, file: `${ref}.ts` }))
  const told = toldOfProblems(problemsOf([], { items }))
  expect(told).toMatch(/^Verify found 12 problems\.\n/)
  expect(told.length).toBeLessThanOrEqual(2000)
  for (const ref of refs) {
    expect(told).toContain(`\n${ref}: seen`)
    expect(told).toContain(`(${ref}.ts)`)
  }
  expect(toldOfProblems(['REQ-1: no'])).toBe('Verify found 1 problem.\nREQ-1: no')
})
