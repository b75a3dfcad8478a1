import { expect, test } from 'vitest'
import { NETWORKS } from '../contracts/agent.ts'
import { narrowerNetwork } from './network.ts'

test.each([
  ['none', null, 'none'],
  ['agent', null, 'agent'],
  ['all', null, 'all'],
  ['all', 'all', 'all'],
  ['all', 'agent', 'agent'],
  ['all', 'none', 'none'],
  ['agent', 'none', 'none'],
  ['agent', 'all', 'agent'],
  ['none', 'agent', 'none'],
  ['none', 'all', 'none'],
] as const)('in a project of %s, a profile of %s reaches %s', (project, profile, reached) => {
  expect(narrowerNetwork(project, profile)).toBe(reached)
})

test('networks are named from the narrowest to the widest', () => {
  expect(NETWORKS).toEqual(['none', 'agent', 'all'])
})
