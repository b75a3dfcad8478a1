import { lazy, Suspense } from 'react'
import { cn } from '../lib/cn.ts'

const Rendered = lazy(() =>
  import('./markdown-rendered.tsx').then((m) => ({ default: m.MarkdownRendered })),
)

/** Markdown of others: cleaned, and what it would hide shown as it was written. Until its code is there, the text as it is. */
export function Markdown({ text, className }: { text: string; className?: string }) {
  return (
    <div dir="auto" className={cn('prose max-w-[72ch] min-w-0 break-words', className)}>
      <Suspense fallback={<p className="whitespace-pre-wrap">{text}</p>}>
        <Rendered text={text} />
      </Suspense>
    </div>
  )
}
