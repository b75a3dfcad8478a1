import {
  cloneElement,
  type HTMLAttributes,
  type ReactElement,
  type ReactNode,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import { createPortal } from 'react-dom'
import { Kbd } from './kbd.tsx'

type Side = 'top' | 'right' | 'bottom' | 'left'

const DELAY_MS = 450
/** While the pointer wanders from one to the next, the next follows at once. */
const WANDER_MS = 250
const GAP = 6
const MARGIN = 8
let lastHidden = 0

/**
 * Words beside the one element that is its child, on hover and on keyboard focus. Never the only place of something
 * needed. Our own and not Radix's: a list has hundreds of them, and this one is nothing until it is shown.
 */
export function Tooltip(props: {
  label: ReactNode
  keys?: string | undefined
  side?: Side
  children: ReactElement<HTMLAttributes<HTMLElement>>
}) {
  const { side = 'bottom', children } = props
  const id = useId()
  const [anchor, setAnchor] = useState<HTMLElement>()
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  const hide = () => {
    clearTimeout(timer.current)
    if (anchor) lastHidden = Date.now()
    setAnchor(undefined)
  }
  const own = children.props
  const child = cloneElement(children, {
    ...(anchor ? { 'aria-describedby': id } : {}),
    onPointerEnter(event) {
      own.onPointerEnter?.(event)
      if (event.pointerType === 'touch') return
      const element = event.currentTarget
      const wanders = Date.now() - lastHidden < WANDER_MS
      timer.current = setTimeout(() => setAnchor(element), wanders ? 0 : DELAY_MS)
    },
    onPointerLeave(event) {
      own.onPointerLeave?.(event)
      hide()
    },
    onPointerDown(event) {
      own.onPointerDown?.(event)
      hide()
    },
    onFocus(event) {
      own.onFocus?.(event)
      if (event.currentTarget.matches(':focus-visible')) setAnchor(event.currentTarget)
    },
    onBlur(event) {
      own.onBlur?.(event)
      hide()
    },
  })
  return (
    <>
      {child}
      {anchor && (
        <Bubble {...{ id, anchor, side }} label={props.label} keys={props.keys} onHide={hide} />
      )}
    </>
  )
}

function Bubble(props: {
  id: string
  anchor: HTMLElement
  side: Side
  label: ReactNode
  keys: string | undefined
  onHide: () => void
}) {
  const { anchor, side } = props
  const ref = useRef<HTMLDivElement>(null)
  const hide = useRef(props.onHide)
  hide.current = props.onHide
  useLayoutEffect(() => {
    if (ref.current) place(ref.current, anchor.getBoundingClientRect(), side)
  })
  useEffect(() => {
    const onScroll = () => hide.current()
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'Escape') hide.current()
    }
    window.addEventListener('scroll', onScroll, true)
    window.addEventListener('keydown', onKey, true)
    return () => {
      window.removeEventListener('scroll', onScroll, true)
      window.removeEventListener('keydown', onKey, true)
    }
  }, [])
  return createPortal(
    <div
      ref={ref}
      id={props.id}
      role="tooltip"
      className="animate-in pointer-events-none fixed top-0 left-0 z-50 flex max-w-80 items-center gap-2 rounded-md bg-raised px-2 py-1 text-12 text-fg shadow-overlay"
    >
      {props.label}
      {props.keys && <Kbd keys={props.keys} />}
    </div>,
    document.body,
  )
}

const OPPOSITE = { top: 'bottom', bottom: 'top', left: 'right', right: 'left' } as const

/** On the wanted side where there is room, else on the other; never outside of the window. */
function place(bubble: HTMLElement, at: DOMRect, wanted: Side): void {
  const { offsetWidth: width, offsetHeight: height } = bubble
  const room = {
    top: at.top - height,
    bottom: window.innerHeight - at.bottom - height,
    left: at.left - width,
    right: window.innerWidth - at.right - width,
  }
  const side = room[wanted] >= GAP + MARGIN ? wanted : OPPOSITE[wanted]
  const upright = side === 'top' || side === 'bottom'
  const left = upright
    ? at.left + (at.width - width) / 2
    : side === 'left'
      ? at.left - width - GAP
      : at.right + GAP
  const top = upright
    ? side === 'top'
      ? at.top - height - GAP
      : at.bottom + GAP
    : at.top + (at.height - height) / 2
  const within = (value: number, size: number, space: number) =>
    Math.round(Math.max(MARGIN, Math.min(value, space - size - MARGIN)))
  bubble.style.left = `${within(left, width, window.innerWidth)}px`
  bubble.style.top = `${within(top, height, window.innerHeight)}px`
}
