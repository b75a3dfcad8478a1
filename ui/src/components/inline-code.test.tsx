import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { InlineCode } from './inline-code.tsx'

test.each([
  ['The `slugify` of `a`', 'The <code>slugify</code> of <code>a</code>'],
  ['`all`', '<code>all</code>'],
  ['one ` alone', 'one ` alone'],
  ['**not** <b>markup</b>', '**not** &lt;b&gt;markup&lt;/b&gt;'],
])('%s', (text, html) => {
  expect(renderToStaticMarkup(<InlineCode text={text} />)).toBe(html)
})
