import { Tabs as Radix } from 'radix-ui'
import { type ReactNode, useEffect, useRef } from 'react'
import { cn } from '../lib/cn.ts'

export interface Tab {
  value: string
  label: string
  count?: number
}

/** Tabs over their panels; keep `value` in the URL. Children are `<TabPanel value="…">`. */
export function Tabs(props: {
  label: string
  tabs: readonly Tab[]
  value: string
  onChange: (value: string) => void
  className?: string
  children: ReactNode
}) {
  const list = useRef<HTMLDivElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever it is another one
  useEffect(() => {
    const shown = list.current?.querySelector('[data-state=active]')
    shown?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [props.value])
  return (
    <Radix.Root
      value={props.value}
      onValueChange={props.onChange}
      className={cn('flex min-h-0 flex-col', props.className)}
    >
      <Radix.List
        ref={list}
        aria-label={props.label}
        className="flex shrink-0 gap-1 overflow-x-auto border-b px-4 [scrollbar-width:none]"
      >
        {props.tabs.map((tab) => (
          <Radix.Trigger
            key={tab.value}
            value={tab.value}
            className="-mb-px flex h-9 shrink-0 items-center gap-1.5 border-b-2 border-transparent px-2 text-13 text-fg-2 hover:text-fg data-[state=active]:border-accent data-[state=active]:text-fg touch:h-11"
          >
            {tab.label}
            {tab.count !== undefined && <span className="text-12 text-fg-3">{tab.count}</span>}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {props.children}
    </Radix.Root>
  )
}

export function TabPanel(props: { value: string; className?: string; children: ReactNode }) {
  return (
    <Radix.Content
      value={props.value}
      className={cn('min-h-0 flex-1 outline-none', props.className)}
    >
      {props.children}
    </Radix.Content>
  )
}
