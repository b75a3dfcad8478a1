import { Check, ChevronDown, ChevronRight, MessageSquare, TriangleAlert } from 'lucide-react'
import { type Ref, useEffect, useMemo, useRef, useState } from 'react'
import type { ReviewFile } from '../../../../../contracts/schemas.ts'
import { cn } from '../../../lib/cn.ts'
import { plural } from '../../../lib/format.ts'
import { Lines } from './file-header.tsx'
import { fileTreeRows } from './file-tree-rows.ts'
import { showName } from './hidden-characters.ts'

interface FileTreeProps {
  files: readonly ReviewFile[]
  current: string | undefined
  isViewed: (file: ReviewFile) => boolean
  /** Comments that wait, by path. */
  comments: ReadonlyMap<string, number>
  onOpen: (path: string) => void
  filterRef?: Ref<HTMLInputElement>
}

const LETTERS: Readonly<Record<string, { letter: string; word: string; tone: string }>> = {
  added: { letter: 'A', word: 'added', tone: 'text-ok' },
  modified: { letter: 'M', word: 'changed', tone: 'text-fg-3' },
  deleted: { letter: 'D', word: 'deleted', tone: 'text-danger' },
  renamed: { letter: 'R', word: 'moved', tone: 'text-accent-fg' },
  copied: { letter: 'C', word: 'copied', tone: 'text-accent-fg' },
  type_changed: { letter: 'T', word: 'became another kind of file', tone: 'text-warn' },
}

/** The changed files as a tree, with what was viewed and what is risky. */
export function FileTree(props: FileTreeProps) {
  const [filter, setFilter] = useState('')
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set())
  const rows = useMemo(() => {
    const text = filter.trim().toLowerCase()
    const found = props.files.filter(({ path }) => path.toLowerCase().includes(text))
    return fileTreeRows(found, text === '' ? closed : new Set())
  }, [props.files, filter, closed])
  const list = useRef<HTMLUListElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: when another file is the current one
  useEffect(() => {
    list.current?.querySelector('[aria-current="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [props.current])
  const viewed = props.files.filter(props.isViewed).length
  const toggle = (path: string) =>
    setClosed((before) => {
      const next = new Set(before)
      if (!next.delete(path)) next.add(path)
      return next
    })
  return (
    <nav aria-label="Changed files" className="flex min-h-0 flex-1 flex-col">
      <div className="flex shrink-0 flex-col gap-2 px-3 pt-2.5 pb-2">
        <div className="flex items-center gap-2 text-12 text-fg-2">
          <span className="flex-1">
            {viewed}/{props.files.length} viewed
          </span>
          <span className="h-1 w-20 overflow-hidden rounded-full bg-active" aria-hidden="true">
            <span
              className="block h-full rounded-full bg-accent transition-[width] duration-150"
              style={{ width: `${(100 * viewed) / Math.max(1, props.files.length)}%` }}
            />
          </span>
        </div>
        <input
          ref={props.filterRef}
          type="search"
          aria-label="Filter files"
          placeholder="Filter files"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          onKeyDown={(event) => {
            const first = rows.find((row) => row.kind === 'file')
            if (event.key === 'Enter' && first) props.onOpen(first.path)
          }}
          className="h-7 w-full rounded-md border border-line-strong bg-bg px-2 text-12 outline-none focus:border-focus touch:h-10 touch:text-16"
        />
      </div>
      {rows.length === 0 && (
        <p className="px-3 py-2 text-12 text-fg-3">
          {props.files.length === 0 ? 'No file changed.' : 'No file has that in its name.'}
        </p>
      )}
      <ul ref={list} className="min-h-0 flex-1 overflow-y-auto px-1.5 pb-4">
        {rows.map((row) => (
          <li
            key={`${row.kind}:${row.path}`}
            className="[contain-intrinsic-size:auto_26px] [content-visibility:auto]"
          >
            {row.kind === 'folder' ? (
              <button
                type="button"
                aria-expanded={!closed.has(row.path)}
                onClick={() => toggle(row.path)}
                style={{ paddingInlineStart: 4 + row.depth * 12 }}
                className="flex h-[26px] w-full min-w-0 items-center gap-1 rounded-md pr-2 text-left text-12 text-fg-3 hover:bg-hover touch:h-10"
              >
                {closed.has(row.path) ? (
                  <ChevronRight size={12} className="shrink-0" aria-hidden="true" />
                ) : (
                  <ChevronDown size={12} className="shrink-0" aria-hidden="true" />
                )}
                <bdi className="truncate">{showName(row.label)}</bdi>
                {closed.has(row.path) && (
                  <span className="ml-auto">{plural(row.files, 'file')}</span>
                )}
              </button>
            ) : (
              <FileRow {...{ row, ...props }} />
            )}
          </li>
        ))}
      </ul>
    </nav>
  )
}

function FileRow(
  props: FileTreeProps & { row: { path: string; label: string; depth: number; file: ReviewFile } },
) {
  const { row, comments } = props
  const { file } = row
  const viewed = props.isViewed(file)
  const look = LETTERS[file.status] ?? { letter: '?', word: file.status, tone: 'text-fg-3' }
  const said = comments.get(row.path) ?? 0
  const current = row.path === props.current
  return (
    <button
      type="button"
      aria-current={current || undefined}
      title={[showName(row.path), ...file.notes].join('\n')}
      onClick={() => props.onOpen(row.path)}
      style={{ paddingInlineStart: 6 + row.depth * 12 }}
      className={cn(
        'group flex h-[26px] w-full min-w-0 items-center gap-1.5 rounded-md pr-2 text-left text-12 text-fg-2 hover:bg-hover touch:h-10',
        current && 'bg-active text-fg',
        viewed && !current && 'text-fg-3',
      )}
    >
      <span
        className={cn('w-3 shrink-0 text-center font-mono text-11', look.tone)}
        aria-hidden="true"
      >
        {look.letter}
      </span>
      <bdi className="min-w-0 flex-1 truncate">{showName(row.label)}</bdi>
      <span className="sr-only">
        , {look.word}
        {viewed && ', viewed'}
        {file.risk === 'high' && ', high risk'}
      </span>
      {said > 0 && (
        <MessageSquare
          size={11}
          className="shrink-0 text-accent-fg"
          aria-label={plural(said, 'comment')}
        />
      )}
      {file.risk === 'high' && (
        <TriangleAlert size={12} className="shrink-0 text-warn" aria-hidden="true" />
      )}
      {viewed ? (
        <Check size={13} className="shrink-0 text-ok" aria-hidden="true" />
      ) : (
        <span className="hidden group-hover:flex">
          <Lines additions={file.additions} deletions={file.deletions} />
        </span>
      )}
    </button>
  )
}
