import { create } from 'zustand'
import { ProblemError } from '../../../client/caller.ts'

export interface Toast {
  id: number
  tone: 'ok' | 'danger' | 'neutral'
  title: string
  detail?: string
  action?: { label: string; run: () => void }
}

const SHOWN_MS = 5_000
let next = 1

export const useToasts = create<{ toasts: Toast[] }>()(() => ({ toasts: [] }))

export function dismissToast(id: number): void {
  useToasts.setState(({ toasts }) => ({ toasts: toasts.filter((toast) => toast.id !== id) }))
}

/** Says something in passing. Errors stay until they are closed. */
export function toast(title: string, more: Partial<Omit<Toast, 'id' | 'title'>> = {}): void {
  const id = next++
  useToasts.setState(({ toasts }) => ({
    toasts: [...toasts.slice(-3), { tone: 'neutral', ...more, id, title }],
  }))
  if (more.tone !== 'danger') setTimeout(() => dismissToast(id), SHOWN_MS)
}

/** Says that an act failed, with what the server said and advises. `what`: "Pause failed". */
export function toastError(what: string, error: unknown): void {
  toast(what, { tone: 'danger', detail: explain(error) })
}

/** Puts a text into the clipboard and says so, or that the browser refused. */
export async function copy(text: string, said: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    toast(said)
  } catch {
    toast('It was not copied', { tone: 'danger', detail: 'The browser did not allow it.' })
  }
}

/** An error as a sentence for a person. */
export function explain(error: unknown): string {
  if (error instanceof ProblemError) {
    const { detail, advice } = error.problem
    return advice ? `${detail} ${advice}` : detail
  }
  return 'The server did not answer, so it is not known whether it was done.'
}
