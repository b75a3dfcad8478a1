import { expect, test } from 'vitest'
import { cn } from './cn.ts'

test('of two that contradict each other the later one wins, also of our own names', () => {
  expect(cn('px-2 shadow-raised', 'shadow-none')).toBe('px-2 shadow-none')
  expect(cn('text-13 text-fg', 'text-12')).toBe('text-fg text-12')
  expect(cn('text-13 text-fg', false, 'text-warn')).toBe('text-13 text-warn')
})
