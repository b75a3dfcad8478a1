import { cn } from '../lib/cn.ts'

const isMac = /Mac|iP(hone|ad)/.test(navigator.platform)
const NAMES: Readonly<Record<string, string>> = {
  $mod: isMac ? '⌘' : 'Ctrl',
  Shift: '⇧',
  Enter: '↵',
  Escape: 'Esc',
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  Space: 'Space',
}

/** `$mod+k` as `⌘ K`; the two presses of `g g` stay apart. `Shift+?` is the key `?` itself. */
function pressesOf(keys: string): string[][] {
  return keys.split(' ').map((press) => {
    const parts = press.split('+')
    const last = parts.at(-1) ?? ''
    const shown = /^[^a-zA-Z0-9]$/.test(last) ? parts.filter((part) => part !== 'Shift') : parts
    return shown.map((part) => NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part))
  })
}

/** The keys of an action, as on the keyboard. */
export function Kbd({ keys, className }: { keys: string; className?: string }) {
  return (
    <kbd className={cn('inline-flex shrink-0 items-center gap-1 font-sans', className)}>
      {pressesOf(keys).map((press, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: presses have no identity but their place
        <span key={index} className="inline-flex gap-0.5">
          {press.map((part) => (
            <span
              key={part}
              className="inline-flex h-4 min-w-4 items-center justify-center rounded-sm border border-line-strong px-1 text-11 leading-none text-fg-3"
            >
              {part}
            </span>
          ))}
        </span>
      ))}
    </kbd>
  )
}
