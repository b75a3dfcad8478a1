import { expect, test } from 'vitest'
import css from './tokens.css?raw'

/** Text on what it stands on; WCAG AA asks for 4.5 to 1. */
const TEXT = [
  ...['fg', 'fg-2', 'fg-3'].flatMap((fg) =>
    ['bg', 'side', 'raised', 'sunken', 'hover'].map((bg) => [fg, bg]),
  ),
  ...[
    ['fg', 'active'],
    ['fg-2', 'active'],
  ],
  ...['bg', 'side', 'raised', 'hover', 'accent-soft'].map((bg) => ['accent-fg', bg]),
  ...['ok', 'warn', 'danger'].flatMap((fg) =>
    ['bg', 'side', 'raised', 'hover', `${fg}-soft`].map((bg) => [fg, bg]),
  ),
  ...['fg', 'fg-2'].flatMap((fg) =>
    ['warn-soft', 'danger-soft', 'accent-soft', 'add', 'remove'].map((bg) => [fg, bg]),
  ),
  ...['accent', 'accent-hover', 'danger-solid'].map((bg) => ['on-accent', bg]),
] as const

/** Marks that are no text: 3 to 1. */
const MARKS = [
  'focus',
  'adapter-claude',
  'adapter-codex',
  'adapter-gemini',
  'adapter-demo',
].flatMap((mark) => ['bg', 'side', 'raised'].map((bg) => [mark, bg] as const))

/** What is pointed at or chosen, on what it stands on: the difference is small, but there. */
const CHOSEN = [
  ['hover', 'bg'],
  ['hover', 'raised'],
  ['active', 'side'],
] as const

function tokensOf(selector: string): Map<string, string> {
  const block = css.slice(css.indexOf(`${selector} {`))
  const body = block.slice(0, block.indexOf('}'))
  return new Map(
    [...body.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, name = '', hex = '']) => [
      name,
      hex,
    ]),
  )
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(one: string, other: string): number {
  const [dark = 0, bright = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (bright + 0.05) / (dark + 0.05)
}

test.each([
  ['light', ':root'],
  ['dark', ':root[data-theme="dark"]'],
])(
  '%s: every text can be read on every surface that it stands on, and marks can be seen',
  (_theme, selector) => {
    const tokens = tokensOf(selector)
    const tooWeak = (pairs: readonly (readonly string[])[], least: number) =>
      pairs.flatMap(([fg = '', bg = '']) => {
        const ratio = contrast(tokens.get(fg) ?? '#000000', tokens.get(bg) ?? '#000000')
        return ratio < least ? [`${fg} on ${bg}: ${ratio.toFixed(2)}`] : []
      })
    expect(tooWeak(TEXT, 4.5)).toEqual([])
    expect(tooWeak(MARKS, 3)).toEqual([])
    expect(tooWeak(CHOSEN, 1.08)).toEqual([])
  },
)

test('both themes have the same tokens', () => {
  expect(tokensOf(':root').size).toBeGreaterThan(20)
  expect([...tokensOf(':root[data-theme="dark"]').keys()].sort()).toEqual(
    [...tokensOf(':root').keys()].sort(),
  )
})
