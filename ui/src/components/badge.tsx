import { cva, type VariantProps } from 'class-variance-authority'
import type { ReactNode } from 'react'
import { cn } from '../lib/cn.ts'

const badge = cva(
  'inline-flex h-[18px] shrink-0 items-center gap-1 rounded-sm px-1.5 text-11 font-medium whitespace-nowrap',
  {
    variants: {
      tone: {
        neutral: 'bg-active text-fg-2',
        accent: 'bg-accent-soft text-accent-fg',
        ok: 'bg-ok-soft text-ok',
        warn: 'bg-warn-soft text-warn',
        danger: 'bg-danger-soft text-danger',
        outline: 'border border-line-strong text-fg-2',
      },
    },
    defaultVariants: { tone: 'neutral' },
  },
)

/** A short word about a thing. A state has StatusIcon instead. */
export function Badge(
  props: VariantProps<typeof badge> & { className?: string; children: ReactNode },
) {
  return <span className={cn(badge({ tone: props.tone }), props.className)}>{props.children}</span>
}

/** How many wait: only shown when there are any. */
export function Count({
  value,
  tone = 'neutral',
  label,
}: {
  value: number
  tone?: 'neutral' | 'warn'
  label: string
}) {
  if (value === 0) return null
  return (
    <span
      className={cn(
        'inline-flex h-[18px] min-w-[18px] items-center justify-center rounded-full px-1.5 text-11 font-medium',
        tone === 'warn' ? 'bg-warn-soft text-warn' : 'text-fg-3',
      )}
    >
      {value}
      <span className="sr-only"> {label}</span>
    </span>
  )
}
