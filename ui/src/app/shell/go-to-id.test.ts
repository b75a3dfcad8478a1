import { expect, test, vi } from 'vitest'
import { goToId } from './go-to-id.ts'

const navigate = vi.hoisted(() => vi.fn())
vi.mock('../navigation.ts', () => ({ navigate }))

test.each([
  ['G-1', '/goals/$id'],
  ['R-2', '/reviews/$id'],
  ['A-3', '/agents/$id'],
  ['P-4', '/'],
  ['S-5', '/agents'], // where suggestions are shown
  ['T-6', '.'], // in the panel, wherever one is
])('%s is shown at %s', (id, to) => {
  goToId(id)
  expect(navigate).toHaveBeenLastCalledWith(expect.objectContaining({ to }))
})
