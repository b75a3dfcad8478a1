import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown } from 'lucide-react'
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import type { Correction } from '../../../../../contracts/schemas.ts'
import { Button } from '../../../components/button.tsx'
import { cn } from '../../../lib/cn.ts'
import { plural } from '../../../lib/format.ts'
import { BlockRow } from './block-row.tsx'
import {
  type BlockWindow,
  extendDown,
  extendUp,
  windowAround,
  windowAtEnd,
} from './block-window.ts'
import type { Block } from './transcript-blocks.ts'

/** This near to an edge of what is there, more is brought. px */
const NEAR_EDGE = 1_200
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
  const extent = useMemo(
    () => ({ head: blocks.length - appended, appended }),
    [blocks.length, appended],
  )
  const [pinned, setPinned] = useState<BlockWindow>()
  const shown = pinned ?? windowAtEnd(extent)
  const from = Math.max(0, shown.from + extent.head)
  const count = Math.max(0, Math.min(blocks.length, shown.to + extent.head) - from)
  /** Index of the block to be shown once the window is there. */
  const wanted = useRef<number>(undefined)
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroll.current,
    estimateSize: (index) => estimate(blocks[from + index]),
    getItemKey: (index) => blocks[from + index]?.key ?? index,
    anchorTo: 'end',
    scrollEndThreshold: NEAR_END,
    overscan: 8,
  })
  const toEnd = useCallback(() => {
    following.current = true
    setPinned(undefined)
    setAway(false)
    const element = scroll.current
    if (element) element.scrollTop = element.scrollHeight
  }, [])
  const total = virtual.getTotalSize()
  // biome-ignore lint/correctness/useExhaustiveDependencies: once more when the window has become another one
  useLayoutEffect(() => {
    if (wanted.current !== undefined) {
      virtual.scrollToIndex(wanted.current - from, { align: 'center' })
      wanted.current = undefined
    } else if (following.current) {
      seen.current = appended
      const element = scroll.current
      if (element) element.scrollTop = total // further than it goes: the end
    }
  }, [appended, total, pinned])
  const lookAtEdges = useCallback(() => {
    const element = scroll.current
    if (!element) return
    const below = element.scrollHeight - element.scrollTop - element.clientHeight
    if (element.scrollTop < NEAR_EDGE) {
      if (!following.current) setPinned((now) => extendUp(now ?? windowAtEnd(extent), extent))
      if (-shownFrom.current >= extent.head) onNearStart?.()
    } else if (below < NEAR_EDGE) setPinned((now) => now && extendDown(now, extent))
  }, [extent, onNearStart])
  const shownFrom = useRef(shown.from)
  shownFrom.current = shown.from
  const top = useRef(0)
  const onScroll = () => {
    const element = scroll.current
    if (!element) return
    const below = element.scrollHeight - element.scrollTop - element.clientHeight
    const isUp = element.scrollTop < top.current
    top.current = element.scrollTop
    // more may have come below meanwhile, or the room for it be less: only who scrolls up leaves the end
    const atEnd = (following.current && !isUp) || (shown.to >= appended && below < NEAR_END)
    following.current = atEnd
    if (atEnd) {
      seen.current = appended
      setPinned(undefined)
    } else setPinned((now) => now ?? windowAtEnd(extent))
    setAway(!atEnd)
    lookAtEdges()
  }
  useEffect(() => {
    const element = scroll.current
    if (!element) return undefined
    // something came under it: a suggestion, or a correction of many lines that is being written
    const resized = new ResizeObserver(() => {
      if (following.current) element.scrollTop = element.scrollHeight
    })
    resized.observe(element)
    return () => resized.disconnect()
  }, [])
  // what was read came without a scroll, and what is there may be less than fits
  // biome-ignore lint/correctness/useExhaustiveDependencies: when more was put before, or the height changed
  useEffect(lookAtEdges, [extent.head, total < NEAR_EDGE])
  if (props.handle)
    props.handle.current = {
      show(index) {
        following.current = false
        wanted.current = index
        setAway(true)
        setPinned(windowAround(index - extent.head, extent))
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
        // a layer of its own, opaque: otherwise all in sight is drawn anew with each scroll
        className="h-full overflow-y-auto bg-bg py-2 outline-none [contain:strict] [will-change:transform] [overflow-anchor:none] focus-visible:shadow-[inset_0_0_0_2px_var(--focus)]"
      >
        <div className="relative" style={{ height: total }}>
          {virtual.getVirtualItems().map(({ key, index, start }) => {
            const block = blocks[from + index]
            return (
              block && (
                <div
                  key={key}
                  ref={virtual.measureElement}
                  data-index={index}
                  className={cn(
                    'absolute inset-x-0 top-0 [contain:content]',
                    from + index === props.at &&
                      'bg-warn-soft/60 shadow-[inset_2px_0_0_var(--warn)]',
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
