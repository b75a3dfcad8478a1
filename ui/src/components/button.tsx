import { cva, type VariantProps } from 'class-variance-authority'
import type { LucideIcon } from 'lucide-react'
import type { ComponentProps, ReactNode } from 'react'
import { cn } from '../lib/cn.ts'
import { Kbd } from './kbd.tsx'
import { Tooltip } from './tooltip.tsx'

/** Also for links that look like buttons: `className={buttonClass({ tone: 'primary' })}`. */
export const buttonClass = cva(
  'inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap select-none transition-colors duration-75 disabled:opacity-45 aria-disabled:opacity-45 touch:min-h-9',
  {
    variants: {
      tone: {
        primary: 'bg-accent text-on-accent enabled:hover:bg-accent-hover',
        secondary:
          'border border-line-strong bg-raised text-fg shadow-raised enabled:hover:bg-hover data-[state=open]:bg-hover',
        ghost: 'text-fg-2 enabled:hover:bg-hover enabled:hover:text-fg data-[state=open]:bg-hover',
        danger: 'bg-danger-solid text-on-accent enabled:hover:brightness-95',
      },
      size: { sm: 'h-6 px-2 text-12', md: 'h-7 px-2.5 text-13', lg: 'h-8 px-3 text-13' },
    },
    defaultVariants: { tone: 'secondary', size: 'md' },
  },
)

interface ButtonProps extends ComponentProps<'button'>, VariantProps<typeof buttonClass> {
  icon?: LucideIcon
  /** Shown at its right; the key itself is bound by an action. */
  keys?: string
  /** Its act is under way: it cannot be pressed again, and its width stays. */
  busy?: boolean
}

export function Button({ tone, size, icon: Icon, keys, busy, className, ...props }: ButtonProps) {
  const { children, disabled, ...rest } = props
  return (
    <button
      type="button"
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={cn(buttonClass({ tone, size }), busy && 'shimmer', className)}
      {...rest}
    >
      {Icon && <Icon size={14} aria-hidden="true" />}
      {children}
      {keys && (
        <Kbd
          keys={keys}
          className="-mr-0.5 max-md:hidden [&_span]:border-current/25 [&_span]:text-current"
        />
      )}
    </button>
  )
}

interface IconButtonProps extends Omit<ComponentProps<'button'>, 'children'> {
  icon: LucideIcon
  /** What it does: read aloud, and shown in the tooltip. */
  label: string
  keys?: string
  size?: 'sm' | 'md'
  children?: ReactNode
}

/** A button of an icon alone, with its name and key in a tooltip. */
export function IconButton({
  icon: Icon,
  label,
  keys,
  size = 'md',
  className,
  ...props
}: IconButtonProps) {
  return (
    <Tooltip label={label} keys={keys}>
      <button
        type="button"
        aria-label={label}
        className={cn(
          buttonClass({ tone: 'ghost' }),
          size === 'sm' ? 'size-6 px-0' : 'size-7 px-0',
          'touch:size-9',
          className,
        )}
        {...props}
      >
        <Icon size={size === 'sm' ? 14 : 16} aria-hidden="true" />
      </button>
    </Tooltip>
  )
}
