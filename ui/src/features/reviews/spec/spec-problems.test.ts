import { expect, test } from 'vitest'
import type { SpecOutput } from '../../../../../contracts/outputs.ts'
import { specProblems } from './spec-problems.ts'

const task = (key: string, dependsOn: string[] = []) => ({
  ...{ key, title: key, description: 'Do it', role: 'implement' as const, dependsOn },
})
const spec: SpecOutput = {
  ...{ title: 'T', summary: 'S', requirements: [{ id: 'REQ-1', text: 'One' }] },
  ...{ acceptance: [{ id: 'AC-1', text: 'Seen' }], tasks: [task('a'), task('b', ['a'])] },
}

test('a spec that holds has no problems', () => expect(specProblems(spec).size).toBe(0))

test('each problem is said at its place, in words', () => {
  const broken: SpecOutput = {
    ...{ title: ' ', summary: 'S', acceptance: [] },
    requirements: [
      { id: 'REQ-1', text: 'One' },
      { id: 'REQ-1', text: '' },
    ],
    tasks: [task('Not a key')],
  }
  expect(Object.fromEntries(specProblems(broken))).toEqual({
    title: 'This must not be empty.',
    'requirements.1.id': 'Another one is REQ-1 already.',
    'requirements.1.text': 'This must not be empty.',
    acceptance: 'There must be at least one.',
    'tasks.0.key': 'Small letters, digits, - and _, beginning with a letter; 40 at most.',
  })
  const circle = { ...spec, tasks: [task('a', ['b']), task('b', ['a'])] }
  expect(Object.fromEntries(specProblems(circle))).toEqual({
    tasks: 'The tasks depend on each other in a circle.',
  })
})
