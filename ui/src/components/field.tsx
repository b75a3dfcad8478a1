import type { ComponentProps, ReactNode } from 'react'
import { useId } from 'react'
import { cn } from '../lib/cn.ts'

/** A label, its control, and under it a hint or what is wrong. The control gets `id` and the aria attributes. */
export function Field(props: {
  label: string
  hint?: ReactNode
  error?: string | undefined
  /** The label is only read aloud. */
  quiet?: boolean
  className?: string
  children: (control: {
    id: string
    'aria-invalid': boolean | undefined
    'aria-describedby': string | undefined
  }) => ReactNode
}) {
  const id = useId()
  const note = props.error ?? props.hint
  return (
    <div className={cn('flex flex-col gap-1', props.className)}>
      <label htmlFor={id} className={cn('text-12 font-medium text-fg-2', props.quiet && 'sr-only')}>
        {props.label}
      </label>
      {props.children({
        id,
        'aria-invalid': props.error === undefined ? undefined : true,
        'aria-describedby': note === undefined ? undefined : `${id}-note`,
      })}
      {note !== undefined && (
        <p
          id={`${id}-note`}
          role={props.error === undefined ? undefined : 'alert'}
          className={cn('text-12', props.error === undefined ? 'text-fg-3' : 'text-danger')}
        >
          {note}
        </p>
      )}
    </div>
  )
}

const CONTROL =
  'w-full rounded-md border border-line-strong bg-bg px-2.5 text-13 text-fg outline-none transition-colors focus-visible:border-focus focus-visible:ring-1 focus-visible:ring-focus aria-invalid:border-danger disabled:opacity-50 touch:text-16'

export function Input({ className, ...props }: ComponentProps<'input'>) {
  return <input className={cn(CONTROL, 'h-8 touch:h-10', className)} {...props} />
}

/** Grows with its text up to `max-height`, where the browser can. */
export function Textarea({ className, ...props }: ComponentProps<'textarea'>) {
  return (
    <textarea
      dir="auto"
      className={cn(CONTROL, 'field-sizing-content min-h-20 resize-none py-2', className)}
      {...props}
    />
  )
}
