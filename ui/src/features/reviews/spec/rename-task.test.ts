import { expect, test } from 'vitest'
import type { SpecTask } from '../../../../../contracts/outputs.ts'
import { renameTask } from './rename-task.ts'

const task = (key: string, ...dependsOn: string[]) => ({
  ...{ key, dependsOn, title: key, description: '', role: 'implement' as const },
})
const tasks = [task('api'), task('api-tests', 'api'), task('docs', 'api', 'api-tests')]
const needs = (list: SpecTask[] | undefined) =>
  list?.map(({ key, dependsOn }) => `${key}: ${dependsOn.join(' ')}`)

test('who needs a task needs it under its new key, and nobody is given the key of another', () => {
  expect(needs(renameTask(tasks, 1, 'api-check'))).toEqual([
    'api: ',
    'api-check: api',
    'docs: api api-check',
  ])
  expect(renameTask(tasks, 1, 'api')).toBeUndefined()
})
