import { Check, type LucideIcon } from 'lucide-react'
import { DropdownMenu as Radix } from 'radix-ui'
import type { ReactNode } from 'react'
import { cn } from '../lib/cn.ts'
import { Kbd } from './kbd.tsx'

/** A menu under its trigger: `<Menu trigger={<IconButton …/>}><MenuItem …/></Menu>`. */
export function Menu(props: { trigger: ReactNode; align?: 'start' | 'end'; children: ReactNode }) {
  return (
    <Radix.Root>
      <Radix.Trigger asChild>{props.trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={props.align ?? 'end'}
          sideOffset={4}
          collisionPadding={8}
          className="animate-in z-50 max-h-(--radix-dropdown-menu-content-available-height) min-w-48 overflow-y-auto rounded-lg bg-raised p-1 shadow-overlay"
        >
          {props.children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

const ITEM =
  'flex h-8 cursor-default items-center gap-2 rounded-md px-2 text-13 text-fg outline-none select-none data-[disabled]:opacity-45 data-[highlighted]:bg-hover touch:h-10'

export function MenuItem(props: {
  icon?: LucideIcon
  keys?: string
  danger?: boolean
  disabled?: boolean
  /** A mark at its right: it is chosen. */
  checked?: boolean
  onSelect: () => void
  children: ReactNode
}) {
  const { icon: Icon } = props
  return (
    <Radix.Item
      className={cn(ITEM, props.danger && 'text-danger')}
      onSelect={props.onSelect}
      {...(props.disabled === undefined ? {} : { disabled: props.disabled })}
    >
      {Icon && <Icon size={15} className={props.danger ? '' : 'text-fg-3'} aria-hidden="true" />}
      <span className="flex-1 truncate">{props.children}</span>
      {props.checked && <Check size={14} className="text-accent-fg" aria-label="chosen" />}
      {props.keys && <Kbd keys={props.keys} />}
    </Radix.Item>
  )
}

export function MenuLink({
  href,
  icon: Icon,
  children,
}: {
  href: string
  icon?: LucideIcon
  children: ReactNode
}) {
  return (
    <Radix.Item className={ITEM} asChild>
      <a href={href} target="_blank" rel="noreferrer">
        {Icon && <Icon size={15} className="text-fg-3" aria-hidden="true" />}
        <span className="flex-1">{children}</span>
      </a>
    </Radix.Item>
  )
}

export function MenuSeparator() {
  return <Radix.Separator className="my-1 h-px bg-line" />
}
