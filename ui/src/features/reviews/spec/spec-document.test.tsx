import { renderToStaticMarkup } from 'react-dom/server'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { SpecOutput } from '../../../../../contracts/outputs.ts'

let SpecDocument: typeof import('./spec-document.tsx').SpecDocument
beforeAll(async () => {
  vi.stubGlobal('window', new EventTarget())
  vi.stubGlobal('navigator', { platform: 'Linux' })
  ;({ SpecDocument } = await import('./spec-document.tsx'))
})

afterAll(() => vi.unstubAllGlobals())

test('a task that another agent writes, in another role or order, shows both: what was and what is', () => {
  const task = { key: 'b', title: 'B', description: 'Do b' }
  const spec = (more: Pick<SpecOutput['tasks'][number], 'role' | 'dependsOn' | 'agent'>) => ({
    ...{ title: 'T', summary: 'S', requirements: [], acceptance: [] },
    tasks: [{ ...task, ...more }],
  })
  const drawn = renderToStaticMarkup(
    <SpecDocument
      before={spec({ role: 'implement', dependsOn: ['a'] })}
      spec={spec({ role: 'frontend', dependsOn: [], agent: { adapter: 'claude' } })}
      draft={{ comments: [] } as never}
      actions={{} as never}
      settled
    />,
  )
  const marked = (tag: string) =>
    [...drawn.matchAll(new RegExp(`<${tag}.*?</${tag}>`, 'g'))].map(([text]) =>
      text.replace(/<.*?>/g, '').trim(),
    )
  expect(marked('del')).toEqual(['Implement', 'after a'])
  expect(marked('ins')).toEqual(['Frontend', 'written by claude'])
})
