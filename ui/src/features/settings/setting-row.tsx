import { Check, RotateCcw } from 'lucide-react'
import { type ReactNode, useEffect, useState } from 'react'
import { IconButton } from '../../components/button.tsx'
import { cn } from '../../lib/cn.ts'

export type SaveState = 'idle' | 'saving' | 'saved'

/** A setting: what it is at the left, its control at the right; marked and to be reset where it is not what it was made as. */
export function SettingRow(props: {
  id: string
  title: string
  detail: ReactNode
  save?: SaveState
  error?: string | undefined
  /** Undefined where nothing else holds by itself. */
  reset?: { from: string; run: () => void } | undefined
  children: ReactNode
}) {
  const { id, reset } = props
  return (
    <div className="relative flex gap-x-6 gap-y-2 border-b border-line/60 px-4 py-3 max-md:flex-col md:items-center">
      {reset && (
        <span
          aria-hidden="true"
          className="absolute inset-y-3 left-0 w-0.5 rounded-full bg-accent"
        />
      )}
      <div className="min-w-0 flex-1">
        <div className="flex items-center gap-2">
          <label htmlFor={id} className="font-medium">
            {props.title}
          </label>
          <Saved state={props.save ?? 'idle'} />
        </div>
        <p className="text-12 text-fg-2">{props.detail}</p>
        {props.error !== undefined && (
          <p role="alert" className="mt-1 text-12 text-danger">
            {props.error}
          </p>
        )}
      </div>
      <div className="flex shrink-0 items-center gap-1.5">
        {reset && (
          <IconButton
            icon={RotateCcw}
            size="sm"
            label={`Reset to ${reset.from}`}
            onClick={reset.run}
          />
        )}
        {props.children}
      </div>
    </div>
  )
}

const SHOWN_MS = 2_000

/** That it was stored, for a moment. */
export function Saved({ state }: { state: SaveState }) {
  const [shown, setShown] = useState(false)
  useEffect(() => {
    if (state !== 'saved') return setShown(false)
    setShown(true)
    const timer = setTimeout(() => setShown(false), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [state])
  return (
    <span
      role="status"
      className={cn('flex items-center gap-1 text-12 text-ok', !shown && 'invisible')}
    >
      {shown && (
        <>
          <Check size={13} aria-hidden="true" />
          Saved
        </>
      )}
    </span>
  )
}
