import type { KeyboardEvent, PointerEvent } from 'react'

/** The left edge of a panel: drag it, or move it with the arrow keys. Widths in px. */
export function ResizeHandle(props: {
  label: string
  value: number
  min: number
  max: number
  onChange: (width: number) => void
}) {
  const { value, min, max } = props
  const change = (width: number) => props.onChange(Math.round(Math.min(max, Math.max(min, width))))
  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    const from = event.clientX
    const handle = event.currentTarget
    handle.setPointerCapture(event.pointerId)
    const onMove = (move: globalThis.PointerEvent) => change(value + from - move.clientX)
    handle.addEventListener('pointermove', onMove)
    handle.addEventListener(
      'lostpointercapture',
      () => handle.removeEventListener('pointermove', onMove),
      { once: true },
    )
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowLeft: 16, ArrowRight: -16 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    change(value + step)
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a separator that can be moved is not a line
    <div
      role="separator"
      tabIndex={0}
      aria-label={props.label}
      aria-orientation="vertical"
      aria-valuenow={value}
      aria-valuemin={min}
      aria-valuemax={max}
      className="absolute inset-y-0 -left-1 z-10 w-2 cursor-col-resize touch-none outline-none after:absolute after:inset-y-0 after:left-1 after:w-px hover:after:bg-accent focus-visible:after:bg-focus"
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
    />
  )
}
