import { cn } from '../lib/cn.ts'

const TITLES: Readonly<Record<string, string>> = {
  claude: 'Claude',
  codex: 'Codex',
  gemini: 'Gemini',
  demo: 'Demo',
}

/** Which agent: its fixed colour and its name. */
export function AdapterMark({ adapter, className }: { adapter: string; className?: string }) {
  return (
    <span
      data-adapter={adapter}
      className={cn('inline-flex items-center gap-1.5 whitespace-nowrap', className)}
    >
      <span className="size-2 shrink-0 rounded-[2px] bg-(--adapter)" aria-hidden="true" />
      {TITLES[adapter] ?? adapter}
    </span>
  )
}
