import { Columns2, FolderTree, Pilcrow, Rows2, Search } from 'lucide-react'
import {
  type Ref,
  Suspense,
  useDeferredValue,
  useEffect,
  useImperativeHandle,
  useMemo,
  useRef,
  useState,
} from 'react'
import { usePreferences } from '../../../app/preferences.ts'
import { IconButton } from '../../../components/button.tsx'
import { Dialog } from '../../../components/dialog.tsx'
import { EmptyState, ErrorState, SkeletonRows } from '../../../components/states.tsx'
import { cn } from '../../../lib/cn.ts'
import { lazyPart } from '../../../lib/lazy-part.ts'
import { NARROW, useMedia } from '../../../lib/use-media.ts'
import { CommentCard } from '../comment-card.tsx'
import { addedOf, type CommentPlace } from '../compose-message.ts'
import type { DraftActions, ReviewDraft } from '../review-draft.ts'
import type { useViewedFiles } from '../viewed-files.ts'
import type { DiffHandle } from './diff-code.tsx'
import type { DrawnFile } from './diff-items.ts'
import { FileHeader } from './file-header.tsx'
import { FileTree } from './file-tree.tsx'
import { FindBar } from './find-bar.tsx'
import { findInDiff } from './find-in-diff.ts'
import { repaintHits } from './paint-hits.ts'
import { RangeChoice } from './range-choice.tsx'
import { useDiffActions } from './use-diff-actions.ts'
import type { ReviewFiles } from './use-review-files.ts'

const DiffCode = lazyPart(async () => (await import('./diff-code.tsx')).DiffCode)

export interface DiffPaneHandle {
  /** Shows a line, or the beginning of the file. */
  go(path: string, line?: number, side?: 'new' | 'old'): void
}

interface DiffPaneProps {
  files: ReviewFiles
  draft: ReviewDraft
  actions: DraftActions
  viewed: ReturnType<typeof useViewedFiles>
  /** What is looked at, from the address. */
  current: string | undefined
  onCurrent: (path: string) => void
  ref?: Ref<DiffPaneHandle>
}

/** File tree and diff. */
export function DiffPane(props: DiffPaneProps) {
  const { files, draft, actions, viewed } = props
  const narrow = useMedia(NARROW)
  const dark = useDark()
  const { diffStyle, set } = usePreferences()
  const split = diffStyle === 'split' && !narrow
  const code = useRef<DiffHandle>(null)
  const [folds, setFolds] = useState<ReadonlyMap<string, boolean>>(new Map())
  const [tree, setTree] = useState(false)
  const filter = useRef<HTMLInputElement>(null)
  const find = useFind(files.drawn)
  const current = props.current ?? files.files[0]?.path

  // a viewed file is folded until it is opened again
  const isFolded = (file: { path: string; blob: string | null }) =>
    folds.get(file.path) ?? viewed.isViewed(file)
  const collapsed = new Set(files.files.filter(isFolded).map(({ path }) => path))
  const stable = useStableSet(collapsed)
  const fold = (path: string, folded: boolean) =>
    setFolds((now) => new Map([...now, [path, folded]]))

  const open = (path: string) => {
    props.onCurrent(path)
    code.current?.toFile(path)
    setTree(false)
  }
  const go: DiffPaneHandle['go'] = (path, line, side = 'new') => {
    props.onCurrent(path)
    if (collapsed.has(path)) fold(path, false)
    // the row exists only after the file was drawn unfolded
    requestAnimationFrame(() => {
      if (line === undefined) code.current?.toFile(path)
      else code.current?.toLine(path, line, side === 'old' ? 'deletions' : 'additions')
    })
  }
  useImperativeHandle(props.ref, () => ({ go }))
  const compose = (place: CommentPlace) => {
    if (place.kind !== 'section') fold(place.file, false)
    actions.comment(place)
  }
  const mark = (path: string | undefined, value?: boolean) => {
    const file = files.files.find((one) => one.path === path)
    if (!file) return
    const next = value ?? !viewed.isViewed(file)
    viewed.mark(file, next)
    fold(file.path, next)
  }
  useDiffActions({
    ...{ files: files.files, current, isViewed: viewed.isViewed, open, mark },
    comment: () => {
      const selected = code.current?.selection()
      if (selected) compose(selected)
      else if (current) compose({ kind: 'file', file: current })
    },
    filter: () => {
      if (narrow) setTree(true)
      requestAnimationFrame(() => filter.current?.focus())
    },
    find: find.open,
    split: () => set({ diffStyle: diffStyle === 'split' ? 'unified' : 'split' }),
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when the search moves on
  useEffect(() => {
    if (find.current)
      go(find.current.path, find.current.line, find.current.side === 'deletions' ? 'old' : 'new')
  }, [find.current])

  const comments = useMemo(() => countByFile(draft), [draft])
  const fileTree = (
    <FileTree
      files={files.files}
      current={current}
      isViewed={viewed.isViewed}
      comments={comments}
      onOpen={open}
      filterRef={filter}
    />
  )
  const root = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (root.current) repaintHits(root.current, find.shown)
  }, [find.shown])
  if (files.error && !files.data)
    return <ErrorState error={files.error} onRetry={() => void files.refetch()} />
  if (!files.data) return <SkeletonRows rows={12} label="Loading the diff" />
  return (
    <div className="flex min-h-0 min-w-0 flex-1">
      {narrow ? (
        <Dialog
          open={tree}
          onClose={() => setTree(false)}
          title="Changed files"
          shape="sheet"
          width={null}
        >
          {fileTree}
        </Dialog>
      ) : (
        <aside className="flex w-[240px] shrink-0 flex-col border-r bg-sunken">{fileTree}</aside>
      )}
      <section aria-label="Diff" className="relative flex min-w-0 flex-1 flex-col">
        <div className="flex h-9 shrink-0 items-center gap-1 border-b px-2">
          {narrow && (
            <IconButton
              icon={FolderTree}
              label="Changed files"
              keys="t"
              onClick={() => setTree(true)}
            />
          )}
          <RangeChoice files={files} />
          <span className="ml-auto flex gap-0.5">
            <IconButton
              size="sm"
              icon={Search}
              label="Find in diff"
              keys="$mod+f"
              onClick={find.open}
            />
            <IconButton
              size="sm"
              icon={Pilcrow}
              label={
                files.whitespace === 'show'
                  ? 'Hide white space changes'
                  : 'Show white space changes'
              }
              aria-pressed={files.whitespace === 'ignore'}
              className="aria-pressed:bg-active aria-pressed:text-fg"
              onClick={() =>
                files.choose({ whitespace: files.whitespace === 'show' ? 'ignore' : 'show' })
              }
            />
            {!narrow && (
              <IconButton
                size="sm"
                icon={split ? Rows2 : Columns2}
                label={split ? 'Show in one column' : 'Show side by side'}
                keys="s"
                onClick={() => set({ diffStyle: split ? 'unified' : 'split' })}
              />
            )}
          </span>
        </div>
        {find.isOpen && <FindBar {...find.bar} />}
        <div ref={root} className={cn('min-h-0 flex-1', files.pending && 'opacity-60')}>
          {files.files.length === 0 ? (
            <EmptyState
              icon={Rows2}
              title={
                files.against === 'previous'
                  ? 'Nothing changed since the last attempt'
                  : 'Nothing changed'
              }
              detail={
                files.against === 'previous'
                  ? 'The agent left the files as they were when you judged them. Look at all changes to see them again.'
                  : 'This attempt changes no file.'
              }
            />
          ) : (
            <Suspense fallback={<SkeletonRows rows={12} label="Loading the diff" />}>
              <DiffCode
                ref={code}
                files={files.drawn}
                collapsed={stable}
                split={split}
                wrap={narrow}
                dark={dark}
                comments={draft.comments}
                found={find.shown}
                current={find.current}
                onComment={compose}
                onTop={(path) => path !== current && props.onCurrent(path)}
                renderHeader={(drawn: DrawnFile) => (
                  <FileHeader
                    drawn={drawn}
                    collapsed={isFolded(drawn.file)}
                    viewed={viewed.isViewed(drawn.file)}
                    current={drawn.file.path === current}
                    loading={files.loading.has(drawn.file.path)}
                    onToggle={() => fold(drawn.file.path, !isFolded(drawn.file))}
                    onViewed={(value) => mark(drawn.file.path, value)}
                    onComment={() => compose({ kind: 'file', file: drawn.file.path })}
                    onLoad={() => void files.load(drawn.file.path)}
                  />
                )}
                renderComment={(comment) => <CommentCard {...{ comment, actions }} />}
              />
            </Suspense>
          )}
        </div>
      </section>
    </div>
  )
}

function countByFile(draft: ReviewDraft): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { place } of addedOf(draft.comments))
    if (place.kind !== 'section') counts.set(place.file, (counts.get(place.file) ?? 0) + 1)
  return counts
}

/** The theme that is shown, followed as it changes. */
function useDark(): boolean {
  const theme = usePreferences((state) => state.theme)
  const system = useMedia('(prefers-color-scheme: dark)')
  return theme === 'system' ? system : theme === 'dark'
}

/** The same set object as long as it holds the same. */
function useStableSet(next: ReadonlySet<string>): ReadonlySet<string> {
  const kept = useRef(next)
  const same = kept.current.size === next.size && [...next].every((one) => kept.current.has(one))
  if (!same) kept.current = next
  return kept.current
}

function useFind(drawn: readonly DrawnFile[]) {
  const [isOpen, setOpen] = useState(false)
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const wanted = useDeferredValue(isOpen ? text : '')
  const hits = useMemo(
    () =>
      findInDiff(
        drawn.map(({ file }) => ({ path: file.path, patch: file.patch ?? '' })),
        wanted,
      ),
    [drawn, wanted],
  )
  return {
    isOpen,
    open: () => setOpen(true),
    /** What is painted. */
    shown: wanted,
    current: hits[at],
    bar: {
      ...{ text, count: hits.length, at },
      onText: (next: string) => {
        setText(next)
        setAt(0)
      },
      onStep: (step: 1 | -1) =>
        setAt((now) => (now + step + hits.length) % Math.max(1, hits.length)),
      onClose: () => setOpen(false),
    },
  }
}
