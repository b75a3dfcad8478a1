import { useMemo } from 'react'
import type { SpecOutput } from '../../../../contracts/outputs.ts'
import type { Decision } from '../../../../contracts/stages.ts'
import { createKept } from '../../lib/kept-store.ts'
import { type CommentPlace, type DraftComment, unfinishedOf } from './compose-message.ts'

/** What a person has prepared and not sent. */
export interface ReviewDraft {
  /** Undefined until the person chose: then what was written decides what is offered. */
  verdict: Decision | undefined
  summary: string
  comments: DraftComment[]
  /** Ids of checklist items. */
  checked: string[]
  /** The spec as the person has it now; undefined as long as nothing was changed. */
  edits: SpecOutput | undefined
  /** ms since 1970. */
  at: number
}

const EMPTY: ReviewDraft = {
  ...{ verdict: undefined, summary: '', comments: [], checked: [], edits: undefined, at: 0 },
}
/** Of so many reviews the draft is kept, the latest. */
const KEPT = 40

const useDrafts = createKept('dispatch.review-drafts', () => ({
  drafts: {} as Record<string, ReviewDraft>,
}))

const isBlank = (draft: ReviewDraft) =>
  JSON.stringify({ ...draft, at: 0 }) === JSON.stringify(EMPTY)

function change(reviewId: string, next: (draft: ReviewDraft) => Partial<ReviewDraft>): void {
  useDrafts.setState(({ drafts }) => {
    const draft = drafts[reviewId] ?? EMPTY
    const all = { ...drafts, [reviewId]: { ...draft, ...next(draft), at: Date.now() } }
    const written = Object.entries(all).filter(([, one]) => !isBlank(one))
    const kept = written.sort(([, a], [, b]) => b.at - a.at)
    return { drafts: Object.fromEntries(kept.slice(0, KEPT)) }
  })
}

export interface DraftActions {
  set(change: Partial<Pick<ReviewDraft, 'verdict' | 'summary' | 'edits'>>): void
  check(ids: readonly string[], checked: boolean): void
  /** Begins a remark, unless one is begun there already. */
  comment(place: CommentPlace): void
  changeComment(id: string, change: Pick<DraftComment, 'writing'> & Partial<DraftComment>): void
  removeComment(id: string): void
  /** After it was sent: only what went along goes. What was written meanwhile, or edits beside another decision, stay. */
  sent(what: ReviewDraft, decision: Decision): void
  clear(): void
  /** Gives the words to the draft of another review, below what stands there. */
  moveTo(otherId: string, words: string): void
}

/** The draft of one review, kept in this browser over reloads, and what changes it. */
export function useReviewDraft(reviewId: string): { draft: ReviewDraft; actions: DraftActions } {
  const draft = useDrafts(({ drafts }) => drafts[reviewId] ?? EMPTY)
  const actions = useMemo((): DraftActions => {
    const edit = (next: Parameters<typeof change>[1]) => change(reviewId, next)
    const clear = () =>
      useDrafts.setState(({ drafts: { [reviewId]: _, ...others } }) => ({ drafts: others }))
    return {
      set: (fields) => edit(() => fields),
      check: (ids, checked) =>
        edit((now) => {
          const others = now.checked.filter((id) => !ids.includes(id))
          return { checked: checked ? [...others, ...ids] : others }
        }),
      comment: (place) =>
        edit(({ comments }) => ({
          comments: comments.some((one) => one.text === '' && isSamePlace(one.place, place))
            ? comments
            : [...comments, { id: crypto.randomUUID(), place, text: '', writing: '' }],
        })),
      changeComment: (id, change) =>
        edit(({ comments }) => ({
          comments: comments.map((one) => (one.id === id ? { ...one, ...change } : one)),
        })),
      removeComment: (id) =>
        edit(({ comments }) => ({ comments: comments.filter((one) => one.id !== id) })),
      sent: (what, decision) => edit((now) => unsentOf(now, what, decision)),
      clear,
      moveTo: (otherId, words) => {
        change(otherId, ({ summary }) => ({
          summary: [summary, words].filter(Boolean).join('\n\n'),
        }))
        clear()
      },
    }
  }, [reviewId])
  return { draft, actions }
}

const isSamePlace = (one: CommentPlace, other: CommentPlace) =>
  JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort())

/** What is left of a draft of which `sent` went along with a decision. Another window may have written on, so texts are compared. */
export function unsentOf(now: ReviewDraft, sent: ReviewDraft, decision: Decision): ReviewDraft {
  const wasSent = (comment: DraftComment) =>
    unfinishedOf([comment]).length === 0 &&
    sent.comments.some(({ id, text }) => id === comment.id && text === comment.text)
  const editsWent =
    decision === 'approve' && JSON.stringify(now.edits) === JSON.stringify(sent.edits)
  return {
    ...EMPTY,
    summary: now.summary === sent.summary ? '' : now.summary,
    comments: now.comments.filter((comment) => !wasSent(comment)),
    edits: editsWent ? undefined : now.edits,
  }
}
