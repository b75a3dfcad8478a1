import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown } from 'lucide-react'
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { Correction } from '../../../../../contracts/schemas.ts'
import { Button } from '../../../components/button.tsx'
import { cn } from '../../../lib/cn.ts'
import { plural } from '../../../lib/format.ts'
import { BlockRow } from './block-row.tsx'
import type { Block } from './transcript-blocks.ts'

/** This near to its beginning, what came before is read. px */
const NEAR_START = 1_200
/** This near to its end, a reader follows it. px */
const NEAR_END = 40

/** The reader's way to a place in the list. */
export interface BlockListHandle {
  show: (index: number) => void
}

/**
 * Blocks in a virtual list: as many as there are, only those in sight are drawn. Keeps the place when older ones are put before,
 * and stays at the end as it grows until the reader scrolls away; then a pill counts what came.
 */
export function BlockList(props: {
  label: string
  blocks: readonly Block[]
  /** How many were added at the end so far. */
  appended: number
  corrections: readonly Correction[]
  find: string
  /** Index of the block that is pointed at. */
  at?: number | undefined
  handle?: { current: BlockListHandle | undefined }
  onNearStart?: () => void
}) {
  const { blocks, appended, onNearStart } = props
  const scroll = useRef<HTMLDivElement>(null)
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set())
  const following = useRef(true)
  const seen = useRef(appended)
  const [away, setAway] = useState(false)
  const virtual = useVirtualizer({
    count: blocks.length,
    getScrollElement: () => scroll.current,
    estimateSize: (index) => estimate(blocks[index]),
    getItemKey: (index) => blocks[index]?.key ?? index,
    anchorTo: 'end',
    scrollEndThreshold: NEAR_END,
    overscan: 8,
  })
  const toEnd = useCallback(() => {
    following.current = true
    setAway(false)
    const element = scroll.current
    if (element) element.scrollTop = element.scrollHeight
  }, [])
  const total = virtual.getTotalSize()
  useLayoutEffect(() => {
    if (!following.current) return
    seen.current = appended
    const element = scroll.current
    if (element) element.scrollTop = total // further than it goes: the end
  }, [appended, total])
  const onScroll = () => {
    const element = scroll.current
    if (!element) return
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END
    following.current = atEnd
    if (atEnd) seen.current = appended
    setAway(!atEnd)
    if (element.scrollTop < NEAR_START) onNearStart?.()
  }
  useEffect(() => {
    // what is there may be less than fits
    if (total < NEAR_START) onNearStart?.()
  }, [total, onNearStart])
  if (props.handle)
    props.handle.current = {
      show(index) {
        following.current = false
        virtual.scrollToIndex(index, { align: 'center' })
      },
    }
  const toggle = useCallback((key: number) => {
    following.current = false // the reader looks at something: it must not move away
    setOpened((before) => {
      const after = new Set(before)
      if (!after.delete(key)) after.add(key)
      return after
    })
  }, [])
  const unseen = away ? appended - seen.current : 0
  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroll}
        role="log"
        aria-label={props.label}
        aria-live="off"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
        tabIndex={0}
        onScroll={onScroll}
        className="h-full overflow-y-auto py-2 outline-none [overflow-anchor:none] focus-visible:shadow-[inset_0_0_0_2px_var(--focus)]"
      >
        <div className="relative" style={{ height: total }}>
          {virtual.getVirtualItems().map(({ key, index, start }) => {
            const block = blocks[index]
            return (
              block && (
                <div
                  key={key}
                  ref={virtual.measureElement}
                  data-index={index}
                  className={cn(
                    'absolute inset-x-0 top-0',
                    index === props.at && 'bg-warn-soft/60 shadow-[inset_2px_0_0_var(--warn)]',
                  )}
                  style={{ transform: `translateY(${start}px)` }}
                >
                  <BlockRow
                    block={block}
                    open={opened.has(block.key)}
                    onToggle={toggle}
                    find={props.find}
                    corrections={props.corrections}
                  />
                </div>
              )
            )
          })}
        </div>
      </div>
      {away && (
        <Button
          size="sm"
          icon={ArrowDown}
          onClick={toEnd}
          className="animate-in absolute bottom-3 left-1/2 -translate-x-1/2 rounded-full shadow-overlay"
        >
          {unseen > 0 ? `${unseen.toLocaleString()} new` : 'To the end'}
        </Button>
      )}
      <p aria-live="polite" className="sr-only">
        {unseen > 0 && `${plural(unseen, 'new entry', 'new entries')} below`}
      </p>
    </div>
  )
}

/** px, until it is measured. Asked for every block whenever one comes, so it only looks at lengths. */
function estimate(block: Block | undefined): number {
  return block?.type === 'said' ? 32 + 20 * Math.floor(block.text.length / 70) : 32
}
