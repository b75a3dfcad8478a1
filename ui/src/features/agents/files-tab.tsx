import { Link } from '@tanstack/react-router'
import { Files } from 'lucide-react'
import { useMemo } from 'react'
import type { AgentRunDetail, TranscriptEntry } from '../../../../contracts/schemas.ts'
import { Badge } from '../../components/badge.tsx'
import { Time } from '../../components/figures.tsx'
import { EmptyState, ErrorState, SkeletonRows } from '../../components/states.tsx'
import { useEntries } from './use-entries.ts'

interface TouchedFile {
  path: string
  change: string
  times: number
  at: string
}

const CHANGES: Readonly<Record<string, { word: string; tone: 'ok' | 'neutral' | 'danger' }>> = {
  create: { word: 'created', tone: 'ok' },
  edit: { word: 'edited', tone: 'neutral' },
  delete: { word: 'deleted', tone: 'danger' },
}

/** The files that a run touched, the latest first. */
export function FilesTab({ run }: { run: AgentRunDetail }) {
  const { items, ready, error, retry } = useEntries(run.id, 'file')
  const files = useMemo(() => touchedFiles(items), [items])
  if (error) return <ErrorState error={error} onRetry={retry} />
  if (!ready) return <SkeletonRows rows={4} label="Loading files" />
  if (files.length === 0)
    return (
      <EmptyState
        icon={Files}
        title="No file was touched"
        detail="Agents change files in Implement and Frontend only; elsewhere they read."
      />
    )
  return (
    <>
      <ul>
        {files.map(({ path, change, times, at }) => (
          <li key={path} className="flex min-h-9 items-center gap-3 border-b border-line/60 px-4">
            <bdi className="min-w-0 flex-1 truncate font-mono text-12" title={path}>
              {path}
            </bdi>
            {times > 1 && <span className="figure text-12 text-fg-3">×{times}</span>}
            <Badge tone={CHANGES[change]?.tone ?? 'neutral'}>
              {CHANGES[change]?.word ?? change}
            </Badge>
            <Time at={at} className="w-16 text-right text-12 text-fg-3" />
          </li>
        ))}
      </ul>
      {run.taskShortId && (
        <p className="px-4 py-3 text-12 text-fg-3">
          As the agent told it. What came of it is the difference of{' '}
          <Link
            to="/goals/$id"
            params={{ id: run.goalShortId }}
            search={{ panel: run.taskShortId }}
            className="text-accent-fg hover:underline"
          >
            {run.taskShortId}
          </Link>
          .
        </p>
      )}
    </>
  )
}

/** Each file once: created stays created when it is edited afterwards. */
export function touchedFiles(entries: readonly TranscriptEntry[]): TouchedFile[] {
  const files = new Map<string, TouchedFile>()
  for (const { content, at } of entries) {
    const path = String(content['path'] ?? '')
    const change = String(content['change'] ?? 'edit')
    const known = files.get(path)
    files.delete(path) // the latest is last
    const first = known?.change === 'create' && change === 'edit' ? 'create' : change
    files.set(path, { path, change: first, times: (known?.times ?? 0) + 1, at })
  }
  return [...files.values()].reverse()
}
