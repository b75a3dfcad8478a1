import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react'

/** Within this many px of the end, a reader is at the end. */
const NEAR = 40

/**
 * A scroll area that stays at its end as it grows, until the reader scrolls away; then `unseen` counts what came since.
 * `count`: items that are drawn. Give `scrollRef` to the element that scrolls, which is there with the first of them.
 */
export function useStickToEnd(count: number): {
  scrollRef: RefObject<HTMLDivElement | null>
  atEnd: boolean
  unseen: number
  toEnd: () => void
} {
  const scrollRef = useRef<HTMLDivElement>(null)
  const [atEnd, setAtEnd] = useState(true)
  const seen = useRef(count)
  const following = useRef(true)
  const mounted = count > 0
  useEffect(() => {
    const element = scrollRef.current
    if (!element || !mounted) return undefined
    let top = element.scrollTop
    const onScroll = () => {
      const near = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR
      // more may have come below meanwhile, or the room for it be less: only who scrolls up leaves the end
      if (near || element.scrollTop < top) following.current = near
      top = element.scrollTop
      setAtEnd(following.current)
    }
    element.addEventListener('scroll', onScroll, { passive: true })
    // rows measure themselves after they are drawn, so the height grows once more than the count does
    const resized = new ResizeObserver(() => {
      if (following.current) element.scrollTop = element.scrollHeight
    })
    resized.observe(element)
    if (element.firstElementChild) resized.observe(element.firstElementChild)
    return () => {
      element.removeEventListener('scroll', onScroll)
      resized.disconnect()
    }
  }, [mounted])
  useLayoutEffect(() => {
    if (!following.current) return
    seen.current = count
    const element = scrollRef.current
    if (element) element.scrollTop = element.scrollHeight
  }, [count])
  const toEnd = () => {
    following.current = true
    seen.current = count
    setAtEnd(true)
    const element = scrollRef.current
    if (element) element.scrollTop = element.scrollHeight
  }
  return { scrollRef, atEnd, unseen: atEnd ? 0 : Math.max(0, count - seen.current), toEnd }
}
