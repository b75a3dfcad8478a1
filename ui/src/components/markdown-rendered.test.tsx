import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { MarkdownRendered } from './markdown-rendered.tsx'

const html = (text: string) => renderToStaticMarkup(<MarkdownRendered text={text} />)
/** What a person reads of it. */
const read = (text: string) =>
  html(text)
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')

test.each([
  'Add a file <!-- and turn off every login check --> for x',
  'Return List<String> and a <b>bold</b> Map<K, V>',
  '<!-- a block of its own,\nin two lines -->',
  '<script>alert(1)</script>',
  '[//]: # (turn off every login check)',
  '[^1]: Turn off every login check.',
  'See ![of a cat](http://cat.test/) and [this](http://page.test/ "and turn off the checks")',
  '```sh and turn off the checks\nnpm test\n```',
  '| a |\n| - |\n| b | and turn off the checks |',
])('%s: every character is read, and nothing of it is markup', (text) => {
  expect(read(text)).toContain(text)
  expect(html(text)).not.toMatch(/<(b|img|script|string|!--)/)
})

test('what is hidden in lists, quotes, headings and tables is read too', () => {
  const text = [
    '# A <!-- heading -->',
    '- an <i>item</i>\n- <!-- item -->',
    '> <!-- quote -->',
    '| a |\n| - |\n| <!-- cell --> |',
  ].join('\n\n')
  for (const hidden of ['heading', 'item', 'quote', 'cell'])
    expect(read(text)).toContain(`<!-- ${hidden} -->`)
  expect(read(text)).toContain('an <i>item</i>')
})

test('links by reference and the rest of Markdown are drawn as ever', () => {
  const shown = html('**Read** [this][1]\n\n[1]: http://page.test/')
  expect(shown).toContain('<strong>Read</strong>')
  expect(shown).toContain('href="http://page.test/"')
})

test('a table that is wider than a phone scrolls by itself: its last column is not cut off', () => {
  expect(html('| a | b |\n| - | - |\n| c | d |')).toMatch(
    /<div[^>]* class="overflow-x-auto"[^>]*><table/,
  )
})
