import { CircleAlert, type LucideIcon, RotateCw } from 'lucide-react'
import type { ReactNode } from 'react'
import { ProblemError } from '../../../client/caller.ts'
import { cn } from '../lib/cn.ts'
import { Button } from './button.tsx'

/** In place of text that is on its way; give it the size of what comes. */
export function Skeleton({ className }: { className?: string }) {
  return (
    <span aria-hidden="true" className={cn('shimmer block h-3 rounded-sm bg-active', className)} />
  )
}

/** Rows of a list that is on its way. */
export function SkeletonRows({ rows = 6, label }: { rows?: number; label: string }) {
  return (
    <div role="status" aria-label={label} className="flex flex-col">
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows without content have no other identity
        <div key={index} className="flex h-11 items-center gap-3 px-4">
          <Skeleton className="size-4 rounded-full" />
          <Skeleton className="w-9" />
          <Skeleton className={index % 3 === 0 ? 'w-64' : index % 3 === 1 ? 'w-44' : 'w-80'} />
        </div>
      ))}
    </div>
  )
}

/** Nothing is here: what would be, and the next act. */
export function EmptyState(props: {
  icon: LucideIcon
  title: string
  detail: ReactNode
  /** Buttons. */
  children?: ReactNode
  className?: string
}) {
  const { icon: Icon } = props
  return (
    <div
      className={cn(
        'flex flex-col items-center justify-center gap-1 px-6 py-16 text-center',
        props.className,
      )}
    >
      <Icon size={20} strokeWidth={1.5} className="mb-2 text-fg-3" aria-hidden="true" />
      <h2 className="text-14 font-medium text-balance text-fg">{props.title}</h2>
      <p className="max-w-[44ch] text-13 text-fg-2 text-balance">{props.detail}</p>
      {props.children && (
        <div className="mt-3 flex flex-wrap justify-center gap-2">{props.children}</div>
      )}
    </div>
  )
}

/** What could not be read, what the server advises, and a way to try again. */
export function ErrorState(props: {
  error: Error
  onRetry?: () => void
  /** Other ways on, as buttons. */
  children?: ReactNode
  className?: string
}) {
  const problem = props.error instanceof ProblemError ? props.error.problem : undefined
  return (
    <div
      role="alert"
      className={cn(
        'flex flex-col items-center justify-center gap-1 px-6 py-16 text-center',
        props.className,
      )}
    >
      <CircleAlert size={20} strokeWidth={1.5} className="mb-2 text-danger" aria-hidden="true" />
      <h2 className="text-14 font-medium text-fg">
        {problem?.title ?? 'The server did not answer'}
      </h2>
      <p className="max-w-[56ch] text-13 text-fg-2">
        {problem?.detail ??
          'It may be starting again. This page goes on by itself when it is back.'}
      </p>
      {problem?.advice && <p className="max-w-[56ch] text-13 text-fg-2">{problem.advice}</p>}
      <div className="mt-3 flex flex-wrap justify-center gap-2 empty:hidden">
        {props.onRetry && (
          <Button icon={RotateCw} onClick={props.onRetry}>
            Try again
          </Button>
        )}
        {props.children}
      </div>
      {problem?.requestId && <p className="mt-2 text-11 text-fg-3">Request {problem.requestId}</p>}
    </div>
  )
}
