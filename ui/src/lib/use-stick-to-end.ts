import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react'

/** Within this many px of the end, a reader is at the end. */
const NEAR = 40

/**
 * A scroll area that stays at its end as it grows, until the reader scrolls away; then `unseen` counts what came since.
 * `count`: items now. Give `scrollRef` to the element that scrolls.
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
    const onScroll = () => {
      const near = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR
      following.current = near
      setAtEnd(near)
    }
    element.addEventListener('scroll', onScroll, { passive: true })
    // rows measure themselves after they are drawn, so the height grows once more than the count does
    const grown = new ResizeObserver(() => {
      if (following.current) element.scrollTop = element.scrollHeight
    })
    if (element.firstElementChild) grown.observe(element.firstElementChild)
    return () => {
      element.removeEventListener('scroll', onScroll)
      grown.disconnect()
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
