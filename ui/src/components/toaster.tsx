import { CircleAlert, CircleCheck, X } from 'lucide-react'
import { dismissToast, useToasts } from '../app/toasts.ts'
import { Button, IconButton } from './button.tsx'

/** Where toasts appear: bottom right, above the rail. */
export function Toaster() {
  const toasts = useToasts((state) => state.toasts)
  return (
    <section
      aria-label="Notices"
      aria-live="polite"
      className="pointer-events-none fixed right-3 bottom-10 z-50 flex w-[min(380px,calc(100%-24px))] flex-col gap-2"
    >
      {toasts.map(({ id, tone, title, detail, action }) => (
        <div
          key={id}
          role={tone === 'danger' ? 'alert' : undefined}
          className="animate-in pointer-events-auto flex items-start gap-2 rounded-lg bg-raised py-2 pr-2 pl-3 shadow-overlay"
        >
          {tone === 'danger' && (
            <CircleAlert size={15} className="mt-1 shrink-0 text-danger" aria-hidden="true" />
          )}
          {tone === 'ok' && (
            <CircleCheck size={15} className="mt-1 shrink-0 text-ok" aria-hidden="true" />
          )}
          <div className="min-w-0 flex-1 py-0.5">
            <p className="font-medium">{title}</p>
            {detail && <p className="text-12 text-fg-2">{detail}</p>}
          </div>
          {action && (
            <Button
              size="sm"
              onClick={() => {
                action.run()
                dismissToast(id)
              }}
            >
              {action.label}
            </Button>
          )}
          <IconButton icon={X} size="sm" label="Dismiss" onClick={() => dismissToast(id)} />
        </div>
      ))}
    </section>
  )
}
