import { Suspense } from 'react'
import { cn } from '../lib/cn.ts'
import { lazyPart } from '../lib/lazy-part.ts'

const Rendered = lazyPart(async () => (await import('./markdown-rendered.tsx')).MarkdownRendered)

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
