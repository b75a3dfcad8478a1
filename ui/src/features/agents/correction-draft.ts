import { createKept } from '../../lib/kept-store.ts'

/** Of so many runs the text is kept, the latest. */
const KEPT = 40

const useTexts = createKept('dispatch.corrections', () => ({
  texts: {} as Record<string, string>,
}))

/** What a person has written for a run and not sent, kept in this browser: a panel is closed in passing. */
export function useCorrectionDraft(
  runId: string,
): [string, (next: string | ((now: string) => string)) => void] {
  const text = useTexts(({ texts }) => texts[runId] ?? '')
  const setText = (next: string | ((now: string) => string)) =>
    useTexts.setState(({ texts: { [runId]: now = '', ...others } }) => {
      const written = typeof next === 'string' ? next : next(now)
      const kept = Object.entries(others).slice(1 - KEPT)
      return { texts: Object.fromEntries(written === '' ? kept : [...kept, [runId, written]]) }
    })
  return [text, setText]
}
