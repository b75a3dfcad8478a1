import { useQuery } from '@tanstack/react-query'
import { adaptersQuery } from '../app/queries.ts'
import { cn } from '../lib/cn.ts'

/** As their adapters call them, but for the demo's few words: lists do not wait for the machine's agents. */
const TITLES: Readonly<Record<string, string>> = {
  claude: 'Claude Code',
  codex: 'Codex',
  gemini: 'Gemini CLI',
  demo: 'Demo',
}

/** Several agents in a row. */
export const AdapterMarks = (props: { adapters: readonly string[]; className?: string }) => (
  <span className={cn('inline-flex items-center gap-2', props.className)}>
    {props.adapters.map((adapter) => (
      <AdapterMark key={adapter} adapter={adapter} />
    ))}
  </span>
)

/** Which agent: its fixed colour and its name. */
export function AdapterMark({ adapter, className }: { adapter: string; className?: string }) {
  const known = TITLES[adapter]
  // one that a person configured has the title that they gave it
  const { data } = useQuery({ ...adaptersQuery(), enabled: known === undefined })
  const own = data?.items.find((one) => one.adapter === adapter)
  return (
    <span
      data-adapter={adapter}
      className={cn('inline-flex items-center gap-1.5 whitespace-nowrap', className)}
    >
      <span className="size-2 shrink-0 rounded-[2px] bg-(--adapter)" aria-hidden="true" />
      {known ?? own?.title ?? adapter}
    </span>
  )
}
