import { Switch as Radix } from 'radix-ui'

/** On or off, at once. Give it the `id` of its label's `htmlFor`, or a `label`. */
export function Switch(props: {
  checked: boolean
  onChange: (checked: boolean) => void
  id?: string
  label?: string
  disabled?: boolean
}) {
  return (
    <Radix.Root
      id={props.id}
      aria-label={props.label}
      checked={props.checked}
      disabled={props.disabled ?? false}
      onCheckedChange={props.onChange}
      className="relative h-[18px] w-[30px] shrink-0 rounded-full bg-fg-3 outline-none transition-colors focus-visible:ring-2 focus-visible:ring-focus focus-visible:ring-offset-2 focus-visible:ring-offset-bg disabled:opacity-45 data-[state=checked]:bg-accent"
    >
      <Radix.Thumb className="block size-[14px] translate-x-[2px] rounded-full bg-on-accent transition-transform data-[state=checked]:translate-x-[14px]" />
    </Radix.Root>
  )
}
