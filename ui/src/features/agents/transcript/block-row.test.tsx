import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import type { Correction } from '../../../../../contracts/schemas.ts'
import { BlockRow } from './block-row.tsx'
import type { Block } from './transcript-blocks.ts'

const AT = '2026-01-31T10:00:00.000Z'
const seen = { type: 'correction', id: 'c', state: 'queued', key: 1, at: AT, until: AT } as const
const drawn = (block: Block, known: Partial<Correction>) =>
  renderToStaticMarkup(
    <BlockRow
      block={block}
      corrections={[{ id: 'c', text: 'Use tabs', by: 'person:Ada', ...known } as Correction]}
      {...{ open: false, onToggle: () => undefined, find: '' }}
    />,
  ).replace(/<.*?>/g, ' ')

test('a correction that its run never took says what became of it, and why', () => {
  const expired = drawn(seen, { state: 'expired', note: 'its run was over' })
  expect(expired).toContain('Expired: its run was over')
  expect(expired).not.toContain('Queued')
  const later = { state: 'delivered', note: 'in the prompt of A-2', deliveredAt: AT } as const
  expect(drawn(seen, later)).toMatch(/Delivered .*\d\d:\d\d:\d\d: in the prompt of A-2/)
  // what the run says comes before the list of its corrections is read again
  expect(drawn({ ...seen, state: 'applied' }, { state: 'queued', note: null })).toContain('Applied')
})
