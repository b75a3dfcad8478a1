import { expect, test } from 'vitest'
import { composeMessage, type DraftComment } from './compose-message.ts'

const line = (file: string, start: number, text: string, more = {}): DraftComment => ({
  id: `${file}${start}`,
  place: { kind: 'line', file, side: 'new', start, end: start, ...more },
  text,
})

test('all remarks go as one message, by file and in the order of lines', () => {
  const message = composeMessage('Nearly there. ', [
    line('src/b.ts', 9, 'Late'),
    { id: 'f', place: { kind: 'file', file: 'src/a.ts' }, text: 'Split this' },
    line('src/b.ts', 2, 'Early\nand long', { end: 4 }),
    line('src/b.ts', 3, 'Why remove it?', { side: 'old' }),
    line('src/b.ts', 5, '   '),
    { id: 's', place: { kind: 'section', section: 'REQ-1' }, text: 'Say how often' },
  ])
  expect(message).toBe(
    [
      'Nearly there.\n',
      '### `src/b.ts`\n- Lines 2–4: Early\n  and long\n- Removed line 3: Why remove it?\n- Line 9: Late\n',
      '### `src/a.ts`\n- Whole file: Split this\n',
      '### REQ-1\n- Say how often',
    ].join('\n'),
  )
  expect(composeMessage(' ', [])).toBe('')
})
