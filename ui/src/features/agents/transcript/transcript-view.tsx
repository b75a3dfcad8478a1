import {
  ArrowUpToLine,
  ChevronDown,
  ChevronUp,
  Copy,
  MessageSquareText,
  Search,
  X,
} from 'lucide-react'
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import type { AgentRunDetail } from '../../../../../contracts/schemas.ts'
import { useAction } from '../../../app/actions/registry.ts'
import { useLive } from '../../../app/live.ts'
import { copy, explain, toastError } from '../../../app/toasts.ts'
import { Button, IconButton } from '../../../components/button.tsx'
import { EmptyState, ErrorState, SkeletonRows } from '../../../components/states.tsx'
import { plural } from '../../../lib/format.ts'
import { BlockList, type BlockListHandle } from './block-list.tsx'
import { plainText } from './transcript-blocks.ts'
import { createTranscriptLog, type TranscriptLog } from './transcript-log.ts'

/** What a run says and does, as it does. Give it the run's id as key. */
export function TranscriptView({ run }: { run: AgentRunDetail }) {
  const [log] = useState(() => createTranscriptLog(run.id))
  const state = useSyncExternalStore(log.subscribe, log.read)
  const handle = useRef<BlockListHandle | undefined>(undefined)
  const [finding, setFinding] = useState(false)
  const { readOlder } = log
  const onNearStart = useCallback(() => void readOlder(), [readOlder])
  const find = useFind(log, state.blocks, handle)
  const total = Math.max(run.lastSeq, state.last)
  useAction({
    id: 'transcript.find',
    title: 'Find in transcript',
    scope: 'Agent',
    keys: ['/', '$mod+f'],
    icon: Search,
    inDialog: true,
    run: () => setFinding(true),
  })
  const copyAll = async () => {
    await log.readAll(new AbortController().signal)
    const { blocks, first, error } = log.read()
    if (first > 1) toastError('It was not copied', error)
    else await copy(blocks.map(plainText).join('\n'), 'Transcript copied')
  }
  const toStart = async () => {
    await log.readAll(new AbortController().signal)
    handle.current?.show(0)
  }
  const failed = state.blocks.length === 0 ? state.error : undefined
  const returns = useLive((live) => live.returns)
  // biome-ignore lint/correctness/useExhaustiveDependencies: when the server is back
  useEffect(() => {
    if (failed) void log.readEnd()
  }, [returns])
  if (failed) return <ErrorState error={failed} onRetry={() => void log.readEnd()} />
  if (!state.live && state.blocks.length === 0)
    return <SkeletonRows rows={6} label="Loading transcript" />
  if (state.blocks.length === 0)
    return (
      <EmptyState
        icon={MessageSquareText}
        title={run.status === 'running' ? 'The agent is starting' : 'It said nothing'}
        detail={
          run.status === 'running'
            ? 'What it says and does appears here as it happens.'
            : (run.exitDetail ?? 'The run ended before its agent said anything.')
        }
      />
    )
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex h-9 shrink-0 items-center gap-1 border-b pr-2 pl-4 text-12 text-fg-3 touch:h-11">
        {finding ? (
          <FindBar
            find={find}
            onClose={() => {
              setFinding(false)
              find.set('')
            }}
          />
        ) : (
          <>
            <span className="figure min-w-0 flex-1 truncate">
              {plural(total, 'line').replace(/^\d+/, (count) => Number(count).toLocaleString())}
              {state.reading && ', reading older ones…'}
            </span>
            {state.error && (
              <Button size="sm" tone="ghost" onClick={onNearStart} title={explain(state.error)}>
                Older lines could not be read. Try again
              </Button>
            )}
            <IconButton
              icon={ArrowUpToLine}
              size="sm"
              label="Go to the start"
              onClick={() => void toStart()}
            />
            <IconButton
              icon={Search}
              size="sm"
              label="Find"
              keys="/"
              onClick={() => setFinding(true)}
            />
            <IconButton
              icon={Copy}
              size="sm"
              label="Copy all of it"
              onClick={() => void copyAll()}
            />
          </>
        )}
      </div>
      <BlockList
        label="Transcript"
        blocks={state.blocks}
        appended={state.appended}
        corrections={run.corrections}
        find={find.text}
        at={find.at}
        handle={handle}
        onNearStart={onNearStart}
      />
    </div>
  )
}

interface Find {
  text: string
  set: (text: string) => void
  /** Index of the block that is shown of those that were found. */
  at: number | undefined
  position: number
  count: number
  /** More may be found: not all is read yet. */
  reading: boolean
  step: (by: number) => void
}

/** Finds in everything that the run ever said: what is not here yet is read first. */
function useFind(
  log: TranscriptLog,
  blocks: ReturnType<TranscriptLog['read']>['blocks'],
  handle: { current: BlockListHandle | undefined },
): Find {
  const [text, set] = useState('')
  const [reading, setReading] = useState(false)
  /** The block that is shown, by its key: places move as older ones come. */
  const [shown, setShown] = useState<number>()
  const { length } = blocks
  // biome-ignore lint/correctness/useExhaustiveDependencies: the array is the same as it grows
  const hits = useMemo(() => {
    const wanted = text.toLowerCase()
    if (wanted === '') return []
    return blocks.flatMap((block, index) =>
      plainText(block).toLowerCase().includes(wanted) ? [index] : [],
    )
  }, [blocks, length, text])
  useEffect(() => {
    setShown(undefined)
    if (text === '') return undefined
    const ending = new AbortController()
    setReading(true)
    void log.readAll(ending.signal).then(() => {
      if (!ending.signal.aborted) setReading(false)
    })
    return () => ending.abort()
  }, [log, text])
  const at = shown === undefined ? undefined : blocks.findIndex(({ key }) => key === shown)
  const position = at === undefined ? -1 : hits.indexOf(at)
  const step = (by: number) => {
    if (hits.length === 0) return
    // the newest first, as the reader comes from there
    const next = position === -1 ? hits.length - 1 : (position + by + hits.length) % hits.length
    const index = hits[next]
    if (index === undefined) return
    setShown(blocks[index]?.key)
    handle.current?.show(index)
  }
  return { text, set, at, position, count: hits.length, reading, step }
}

function FindBar({ find, onClose }: { find: Find; onClose: () => void }) {
  return (
    <search className="flex min-w-0 flex-1 items-center gap-1">
      <Search size={13} className="shrink-0" aria-hidden="true" />
      <input
        // biome-ignore lint/a11y/noAutofocus: it was just asked for
        autoFocus
        dir="auto"
        aria-label="Find in transcript"
        placeholder="Find in transcript"
        value={find.text}
        onChange={(event) => find.set(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') find.step(event.shiftKey ? 1 : -1)
          else if (event.key === 'Escape') {
            event.stopPropagation()
            event.nativeEvent.stopImmediatePropagation()
            onClose()
          } else return
          event.preventDefault()
        }}
        className="h-7 min-w-0 flex-1 bg-transparent px-1 text-13 text-fg outline-none touch:text-16"
      />
      {find.text !== '' && (
        <span role="status" className="figure shrink-0">
          {find.reading && 'reading… '}
          {find.count === 0
            ? !find.reading && 'nothing found'
            : `${find.position === -1 ? '' : `${find.position + 1} of `}${find.count.toLocaleString()}`}
        </span>
      )}
      <IconButton icon={ChevronUp} size="sm" label="Earlier" onClick={() => find.step(-1)} />
      <IconButton icon={ChevronDown} size="sm" label="Later" onClick={() => find.step(1)} />
      <IconButton icon={X} size="sm" label="End finding" onClick={onClose} />
    </search>
  )
}
