import { cva, type VariantProps } from 'class-variance-authority'
import { X } from 'lucide-react'
import { Dialog as Radix } from 'radix-ui'
import { type ReactNode, useRef } from 'react'
import { cn } from '../lib/cn.ts'
import { IconButton } from './button.tsx'

const surface = cva('fixed z-40 flex flex-col bg-raised shadow-overlay outline-none', {
  variants: {
    shape: {
      /** In the middle, a little above it; the whole width of a phone. */
      dialog:
        'animate-in inset-x-0 top-[12dvh] mx-auto max-h-[76dvh] w-[calc(100%-24px)] rounded-lg max-md:top-3 max-md:max-h-[calc(100dvh-24px)]',
      /** From the right, full height. */
      sheet: 'animate-sheet inset-y-0 right-0 w-[min(560px,100%)] md:border-l',
      /** From the left. */
      drawer: 'animate-drawer inset-y-0 left-0 w-[264px] bg-side',
    },
    width: { sm: 'max-w-[420px]', md: 'max-w-[560px]', lg: 'max-w-[760px]' },
  },
  defaultVariants: { shape: 'dialog', width: 'md' },
})

interface SurfaceProps extends VariantProps<typeof surface> {
  open: boolean
  onClose: () => void
  /** Its name: shown as heading unless `bare`. */
  title: string
  description?: string
  /** No heading of ours; the title is only read aloud. */
  bare?: boolean
  className?: string
  /** For a field that should have the focus at first; else the dialog itself has it. */
  initialFocus?: { current: HTMLElement | null }
  children: ReactNode
}

/** What is said over the page until it is answered or closed: `shape` dialog, sheet or drawer. */
export function Dialog({
  shape,
  width,
  open,
  onClose,
  title,
  description,
  bare,
  ...props
}: SurfaceProps) {
  const giveBack = useFocusBack(open)
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-scrim" />
        <Radix.Content
          className={cn(surface({ shape, width }), props.className)}
          {...(description ? {} : { 'aria-describedby': undefined })}
          onOpenAutoFocus={(event) => {
            // else the first button has it, which is the one that closes, and its tooltip covers what is new
            event.preventDefault()
            const target = props.initialFocus?.current ?? event.currentTarget
            if (target instanceof HTMLElement) target.focus()
          }}
          onCloseAutoFocus={giveBack}
        >
          <div className={cn('flex items-start gap-2 px-4 pt-3', bare && 'sr-only')}>
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-14 font-medium text-fg">{title}</Radix.Title>
              {description && (
                <Radix.Description className="mt-0.5 text-13 text-fg-2">
                  {description}
                </Radix.Description>
              )}
            </div>
            {!bare && <IconButton icon={X} label="Close" keys="Escape" onClick={onClose} />}
          </div>
          {props.children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

/** What got the focus back from each dialog that is gone. */
const gaveBack = new WeakMap<Element, HTMLElement>()

/** Gives the focus back to what had it before: Radix only knows a trigger of its own, and would leave it nowhere. */
function useFocusBack(open: boolean): (event: Event) => void {
  const before = useRef<HTMLElement | undefined>(undefined)
  const wasOpen = useRef(false)
  // as it is drawn: a field in it that takes the focus by itself has it before any effect
  if (open && !wasOpen.current) before.current = focusedNow()
  wasOpen.current = open
  return (event) => {
    event.preventDefault()
    const { current: opener } = before
    const gone = opener?.isConnected === false && opener.closest('[role="dialog"]')
    const back = gone ? gaveBack.get(gone) : opener // the palette is gone before what it opened
    if (back && event.currentTarget instanceof Element) gaveBack.set(event.currentTarget, back)
    back?.focus()
  }
}

/** An item of a menu goes with it: what opened the menu stays. */
function focusedNow(): HTMLElement | undefined {
  const focused = document.activeElement
  const opener = focused?.closest('[role="menu"]')?.getAttribute('aria-labelledby')
  const stays = opener ? document.getElementById(opener) : focused
  return stays instanceof HTMLElement ? stays : undefined
}

/** The row of buttons at the end of a dialog. */
export function DialogFooter({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <div
      className={cn('mt-auto flex items-center justify-end gap-2 border-t px-4 py-3', className)}
    >
      {children}
    </div>
  )
}
