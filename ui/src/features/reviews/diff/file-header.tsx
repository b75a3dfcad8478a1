import { ChevronDown, ChevronRight, EyeOff, MessageSquarePlus, TriangleAlert } from 'lucide-react'
import { Badge } from '../../../components/badge.tsx'
import { Button, IconButton } from '../../../components/button.tsx'
import { Tooltip } from '../../../components/tooltip.tsx'
import { cn } from '../../../lib/cn.ts'
import { plural } from '../../../lib/format.ts'
import type { DrawnFile } from './diff-items.ts'
import { showName } from './hidden-characters.ts'

/** The line over a file's changes: its name, what to know of it, and whether it was viewed. */
export function FileHeader(props: {
  drawn: DrawnFile
  collapsed: boolean
  viewed: boolean
  current: boolean
  loading: boolean
  onToggle: () => void
  onViewed: (viewed: boolean) => void
  onComment: () => void
  onLoad: () => void
}) {
  const { file, hidden, lineEnds, instead } = props.drawn
  const path = showName(file.path)
  const slash = path.lastIndexOf('/') + 1
  const lines = file.additions + file.deletions
  return (
    <div
      className={cn(
        'flex h-9 w-full items-center gap-2 border-b bg-sunken pr-3 pl-1.5 font-sans text-12',
        props.current && 'shadow-[inset_2px_0_0_var(--accent)]',
      )}
    >
      <IconButton
        size="sm"
        icon={props.collapsed ? ChevronRight : ChevronDown}
        label={props.collapsed ? `Show ${path}` : `Fold ${path}`}
        aria-expanded={!props.collapsed}
        disabled={instead !== undefined}
        onClick={props.onToggle}
      />
      <h2 className="flex min-w-0 items-baseline font-mono text-12" title={path}>
        {file.oldPath && file.oldPath !== file.path && (
          <span className="mr-1.5 min-w-0 truncate text-fg-3">
            <bdi>{showName(file.oldPath)}</bdi> →
          </span>
        )}
        <span className="min-w-0 shrink truncate text-fg-3 [direction:rtl]">
          <bdi>{path.slice(0, slash)}</bdi>
        </span>
        <bdi className="max-w-full shrink-0 truncate font-medium">{path.slice(slash)}</bdi>
      </h2>
      <RiskBadge file={file} />
      {hidden > 0 && (
        <Badge tone="danger">
          <EyeOff size={11} aria-hidden="true" />
          {plural(hidden, 'hidden character')}
        </Badge>
      )}
      {lineEnds && <Badge>Line ends: {lineEnds}</Badge>}
      {instead === 'left-out' ? (
        <Button size="sm" busy={props.loading} onClick={props.onLoad}>
          Load {lines.toLocaleString()} changed lines
        </Button>
      ) : (
        instead && <span className="truncate text-fg-3">{instead}</span>
      )}
      <span className="ml-auto flex shrink-0 items-center gap-2">
        <Lines additions={file.additions} deletions={file.deletions} />
        <IconButton
          size="sm"
          icon={MessageSquarePlus}
          label={`Comment on ${path}`}
          onClick={props.onComment}
        />
        <label className="flex h-6 cursor-default items-center gap-1.5 rounded-md px-1.5 text-fg-2 select-none hover:bg-hover">
          <input
            type="checkbox"
            className="accent-(--accent)"
            checked={props.viewed}
            onChange={(event) => props.onViewed(event.target.checked)}
          />
          Viewed
        </label>
      </span>
    </div>
  )
}

/** Changed lines, in figures. */
export function Lines({ additions, deletions }: { additions: number; deletions: number }) {
  return (
    <span className="flex shrink-0 gap-1.5 text-12">
      {additions > 0 && (
        <span className="text-ok">
          <span className="sr-only">added </span>+{additions.toLocaleString()}
        </span>
      )}
      {deletions > 0 && (
        <span className="text-danger">
          <span className="sr-only">removed </span>−{deletions.toLocaleString()}
        </span>
      )}
    </span>
  )
}

/** Only what is risky is marked; why is in the tooltip, and in full in the summary. */
function RiskBadge({ file }: { file: DrawnFile['file'] }) {
  if (file.risk !== 'high') return null
  return (
    <Tooltip label={<span className="whitespace-pre-line">{file.notes.join('\n')}</span>}>
      <span className="min-w-0 max-md:hidden">
        <Badge tone="warn" className="max-w-56">
          <TriangleAlert size={11} aria-hidden="true" />
          <span className="truncate">{file.notes[0] ?? 'high risk'}</span>
        </Badge>
      </span>
    </Tooltip>
  )
}
