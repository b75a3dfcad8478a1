import { Tooltip as Radix } from 'radix-ui'
import type { ReactNode } from 'react'
import { Kbd } from './kbd.tsx'

/** The page's one provider: the next tooltip follows at once while the pointer wanders. */
export function TooltipProvider({ children }: { children: ReactNode }) {
  return (
    <Radix.Provider delayDuration={450} skipDelayDuration={200}>
      {children}
    </Radix.Provider>
  )
}

/** Words beside the one element that is its child, on hover and on focus. Never the only place of something needed. */
export function Tooltip(props: {
  label: ReactNode
  keys?: string | undefined
  side?: 'top' | 'right' | 'bottom' | 'left'
  children: ReactNode
}) {
  return (
    <Radix.Root>
      <Radix.Trigger asChild>{props.children}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          side={props.side ?? 'bottom'}
          sideOffset={6}
          collisionPadding={8}
          className="animate-in z-50 flex max-w-80 items-center gap-2 rounded-md bg-raised px-2 py-1 text-12 text-fg shadow-overlay"
        >
          {props.label}
          {props.keys && <Kbd keys={props.keys} />}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
