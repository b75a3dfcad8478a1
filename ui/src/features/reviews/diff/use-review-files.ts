import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import type { Review, ReviewDiff } from '../../../../../contracts/schemas.ts'
import { call } from '../../../app/api.ts'
import { reviewDiffQuery } from '../../../app/queries.ts'
import { toastError } from '../../../app/toasts.ts'
import { type DrawnFile, drawFile } from './diff-items.ts'
import { inTreeOrder } from './file-tree-rows.ts'

interface DiffChoice {
  /** Undefined: what was judged before, where there is such a thing. */
  against: 'base' | 'previous' | undefined
  whitespace: 'show' | 'ignore'
}

/** The files of a review's diff in the tree's order, and how they are chosen and completed. */
export function useReviewFiles(review: Review) {
  const again = review.history.length > 0
  const [choice, setChoice] = useState<DiffChoice>({ against: undefined, whitespace: 'show' })
  const against = choice.against ?? (again ? 'previous' : 'base')
  const query = { against, whitespace: choice.whitespace }
  const options = reviewDiffQuery(review.id, query)
  const { data, error, refetch, isPlaceholderData } = useQuery({
    ...options,
    placeholderData: keepPreviousData,
  })
  const client = useQueryClient()
  const [loading, setLoading] = useState<ReadonlySet<string>>(new Set())
  const files = useMemo(() => inTreeOrder(data?.files ?? []), [data])
  const drawn = useDrawn(files)

  /** Asks for a file that was left out. */
  async function load(path: string): Promise<void> {
    setLoading((now) => new Set([...now, path]))
    try {
      const reply = await call('getReviewDiff', {
        params: { id: review.id },
        query: { ...query, path },
      })
      const [whole] = reply.files
      client.setQueryData(options.queryKey, (before: ReviewDiff | undefined) =>
        before && whole
          ? { ...before, files: before.files.map((file) => (file.path === path ? whole : file)) }
          : before,
      )
    } catch (failure) {
      toastError(`Could not load ${path}`, failure)
    } finally {
      setLoading((now) => new Set([...now].filter((one) => one !== path)))
    }
  }

  return {
    ...{ data, error, refetch, files, drawn, against, load, loading },
    whitespace: choice.whitespace,
    previous: data?.previous ?? null,
    /** Another choice is on its way; what is shown is the one before. */
    pending: isPlaceholderData,
    choose: (next: Partial<DiffChoice>) => setChoice((before) => ({ ...before, ...next })),
  }
}
export type ReviewFiles = ReturnType<typeof useReviewFiles>

/** Parsing is done once for a file, whatever else of the list changes. */
function useDrawn(files: ReviewDiff['files']): DrawnFile[] {
  const [known] = useState(() => new WeakMap<ReviewDiff['files'][number], DrawnFile>())
  return useMemo(
    () =>
      files.map((file) => {
        const drawn = known.get(file) ?? drawFile(file)
        known.set(file, drawn)
        return drawn
      }),
    [files, known],
  )
}
