import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { patchLines } from './print-diff.ts'
import { didYouMean } from './suggest.ts'
import { displayWidth, sanitize, truncate } from './terminal-text.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are allowed
const COLOURS = /\u001b\[[0-9;:]*m/g

describe('sanitize', () => {
  it('leaves no control character but colours, newlines and tabs, whatever it is given', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(
        '\u001b',
        '[',
        ']52;c;',
        '\u0007',
        '\u009b',
        '31m',
        '\u001b\\',
        '\u0090',
        '8;;http://x',
        '\r',
        '\n',
      ),
    )
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const safe = sanitize(pieces.join(''), { colours: true })
        expect(safe.replace(COLOURS, '')).not.toMatch(CONTROLS)
      }),
    )
  })

  it('names what turns or hides text, and leaves emoji whole', () => {
    expect(sanitize('a\u202eb\u061c👩\u200d💻')).toBe('a<U+202E>b<U+061C>👩\u200d💻')
  })
})

describe('a patch', () => {
  it('hides nothing of a changed file, whatever is in it', () => {
    const line = '+a\r\u001b[2K\u0007\f\u009b\u200d\u202e\u061c\u2061\u00ad\u{e0041}日本'
    expect(patchLines(`@@ -1 +1 @@\n${line}\n`, (_style, text) => text)[1]).toBe(
      '+a^M^[[2K^G^L<U+009B><U+200D><U+202E><U+061C><U+2061><U+00AD><U+E0041>日本',
    )
  })
})

describe('truncate', () => {
  it('never is wider than asked', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 1, max: 30 }),
        (text, columns) => {
          expect(displayWidth(truncate(text, columns))).toBeLessThanOrEqual(columns)
        },
      ),
    )
  })
})

describe('didYouMean', () => {
  it('knows swapped, missing and surplus letters, and is silent about other words', () => {
    expect(didYouMean('stauts', ['status', 'start'])).toMatch(/^Did you mean status/)
    expect(didYouMean('approv', ['approve'])).toBe('Did you mean approve?')
    expect(didYouMean('elephant', ['approve', 'goals'])).toBeUndefined()
  })
})
