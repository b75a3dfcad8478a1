import type {
  CodeViewItem,
  CodeViewLineSelection,
  DiffLineAnnotation,
  SelectedLineRange,
} from '@pierre/diffs'
import { CodeView, type CodeViewHandle, WorkerPoolContextProvider } from '@pierre/diffs/react'
import DiffWorker from '@pierre/diffs/worker/worker.js?worker'
import { type ReactNode, type Ref, useImperativeHandle, useMemo, useRef } from 'react'
import type { CommentPlace, DraftComment } from '../compose-message.ts'
import type { DrawnFile } from './diff-items.ts'
import { DIFF_CSS, DIFF_THEME } from './diff-theme.ts'
import type { Hit } from './find-in-diff.ts'
import { paintHits } from './paint-hits.ts'

/** What moves the diff from outside. */
export interface DiffHandle {
  toFile(path: string): void
  toLine(path: string, line: number, side?: Hit['side']): void
  /** The lines that are selected, as a place for a comment. */
  selection(): CommentPlace | undefined
}

interface DiffCodeProps {
  files: readonly DrawnFile[]
  collapsed: ReadonlySet<string>
  split: boolean
  /** Long lines are broken; else they scroll. */
  wrap: boolean
  dark: boolean
  comments: readonly DraftComment[]
  /** What the search looks for. */
  found: string
  current: Hit | undefined
  onComment: (place: CommentPlace) => void
  /** The file at the top of the view. */
  onTop: (path: string) => void
  renderHeader: (file: DrawnFile) => ReactNode
  renderComment: (comment: DraftComment) => ReactNode
  ref?: Ref<DiffHandle>
}

/** A remark by its id: its text changes as it is written. */
interface Note {
  id: string
}

const HEADER_HEIGHT = 37
const POOL = {
  poolOptions: {
    workerFactory: () => new DiffWorker(),
    poolSize: 2,
    mainThreadMaxCharacters: 4_000,
  },
  highlighterOptions: { theme: { light: DIFF_THEME, dark: DIFF_THEME } },
}

/** The diff itself, drawn by @pierre/diffs. Loaded lazily; only through `DiffPane`. */
export function DiffCode(props: DiffCodeProps) {
  const view = useRef<CodeViewHandle<Note, undefined>>(null)
  const items = useItems(props)
  const byPath = useMemo(
    () => new Map(props.files.map((one) => [one.file.path, one])),
    [props.files],
  )
  useImperativeHandle(props.ref, () => handleOf(view), [])
  const latest = useRef(props)
  latest.current = props
  const options = useMemo(
    () => ({
      ...{ theme: { light: DIFF_THEME, dark: DIFF_THEME }, unsafeCSS: DIFF_CSS },
      themeType: props.dark ? ('dark' as const) : ('light' as const),
      diffStyle: props.split ? ('split' as const) : ('unified' as const),
      overflow: props.wrap ? ('wrap' as const) : ('scroll' as const),
      ...{ diffIndicators: 'bars' as const, lineDiffType: 'word-alt' as const },
      ...{ hunkSeparators: 'line-info-basic' as const, stickyHeaders: true },
      ...{
        enableGutterUtility: true,
        enableLineSelection: true,
        lineHoverHighlight: 'both' as const,
      },
      ...{
        itemMetrics: { diffHeaderHeight: HEADER_HEIGHT },
        layout: { paddingTop: 0, paddingBottom: 48, gap: 0 },
      },
      onGutterUtilityClick(range: SelectedLineRange, context: { item: CodeViewItem<Note> }) {
        latest.current.onComment(placeOf(context.item.id, range))
      },
      onPostRender(node: HTMLElement) {
        makeReachable(node)
        paintHits(node, latest.current.found)
      },
    }),
    [props.dark, props.split, props.wrap],
  )
  return (
    <WorkerPoolContextProvider {...POOL}>
      <CodeView<Note, undefined>
        ref={view}
        items={items}
        options={options as never}
        className="diff-code h-full overflow-y-auto outline-none"
        onScroll={(top, viewer) => {
          const first = viewer
            .getRenderedItems()
            .findLast(({ id }) => (viewer.getTopForItem(id) ?? 0) <= top + HEADER_HEIGHT)
          if (first) props.onTop(first.id)
        }}
        renderCustomHeader={({ id }) => {
          const drawn = byPath.get(id)
          return drawn && props.renderHeader(drawn)
        }}
        renderAnnotation={(...[{ metadata }]) => {
          const comment = props.comments.find(({ id }) => id === metadata.id)
          return comment && props.renderComment(comment)
        }}
      />
    </WorkerPoolContextProvider>
  )
}

/** Items with a version each, which is how the view knows what to draw again. */
function useItems({ files, collapsed, comments }: DiffCodeProps): CodeViewItem<Note>[] {
  const versions = useRef(new Map<string, { signature: string; item: CodeViewItem<Note> }>())
  return useMemo(
    () =>
      files.map(({ file, lines }) => {
        const annotations = annotationsOf(file.path, comments)
        const isCollapsed = collapsed.has(file.path) || lines.hunks.length === 0
        const noted = annotations.map(({ side, lineNumber, metadata }) =>
          [side, lineNumber, metadata.id].join(),
        )
        const signature = [lines.cacheKey, isCollapsed, ...noted].join('|')
        const known = versions.current.get(file.path)
        if (known?.signature === signature) return known.item
        const version = (known?.item.version ?? 0) + 1
        const item: CodeViewItem<Note> = {
          ...{
            id: file.path,
            type: 'diff',
            fileDiff: lines,
            annotations,
            collapsed: isCollapsed,
            version,
          },
        }
        versions.current.set(file.path, { signature, item })
        return item
      }),
    [files, collapsed, comments],
  )
}

function annotationsOf(
  path: string,
  comments: readonly DraftComment[],
): DiffLineAnnotation<Note>[] {
  return comments.flatMap(({ id, place }) => {
    if (place.kind === 'section' || place.file !== path) return []
    const metadata = { id }
    if (place.kind === 'file') return [{ side: 'additions', lineNumber: 0, metadata }]
    const side = place.side === 'old' ? 'deletions' : 'additions'
    return [{ side, lineNumber: place.end, metadata }]
  })
}

/** A range that crosses the two sides is a comment on the new one. */
function placeOf(file: string, { start, end, side, endSide }: SelectedLineRange): CommentPlace {
  const [first, last] = [Math.min(start, end), Math.max(start, end)]
  const old = side === 'deletions' && (endSide ?? side) === 'deletions'
  return { kind: 'line', file, side: old ? 'old' : 'new', start: first, end: last }
}

function handleOf(view: React.RefObject<CodeViewHandle<Note, undefined> | null>): DiffHandle {
  const select = (selection: CodeViewLineSelection) => view.current?.setSelectedLines(selection)
  return {
    toFile: (id) =>
      view.current?.scrollTo({ type: 'item', id, align: 'start', behavior: 'instant' }),
    toLine(id, line, side = 'additions') {
      select({ id, range: { start: line, end: line, side, endSide: side } })
      view.current?.scrollTo({
        ...{ type: 'line', id, lineNumber: line, side, align: 'center', behavior: 'instant' },
      })
    },
    selection() {
      const selected = view.current?.getSelectedLines()
      return selected ? placeOf(selected.id, selected.range) : undefined
    },
  }
}

/** What scrolls sideways inside must be reachable by keyboard. */
function makeReachable(node: HTMLElement): void {
  for (const code of node.shadowRoot?.querySelectorAll<HTMLElement>('code') ?? []) {
    const scrolls = code.scrollWidth > code.clientWidth
    if (scrolls) code.tabIndex = 0
    else code.removeAttribute('tabindex')
  }
}
