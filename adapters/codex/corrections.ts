import type { CorrectionState } from '../../contracts/agent.ts'
import type { Correction } from '../adapter.ts'
import type { Item } from './wire.ts'

type Waiting = Correction & { state: CorrectionState; sent: boolean }

/**
 * How far each correction came. `delivered`: Codex took it for the turn at work; `applied`: it came back as a `userMessage`, so it stands in
 * the conversation from the next request to the model on.
 */
export interface Corrections {
  add(correction: Correction): void
  /** Those that nobody has sent yet, or that were sent to a turn that had just ended; they count as sent from now on. */
  take(): Correction[]
  /** The first of those, for the beginning of a turn. */
  takeOne(): Correction | undefined
  delivered(id: string): void
  /** The turn was over: it has to be sent again. */
  comesBack(id: string): void
  heard(item: Item & { type: 'userMessage' }): void
  /** Accepted for a turn that ended before the model saw them: they have to be sent again. */
  turnEnded(): void
}

export function createCorrections(push: (id: string, state: CorrectionState) => void): Corrections {
  const waiting = new Map<string, Waiting>()
  const moved = (found: Waiting, state: CorrectionState) => {
    if (found.state === state) return
    found.state = state
    push(found.id, state)
  }
  const unsent = () => [...waiting.values()].filter(({ sent }) => !sent)
  return {
    add({ id, text }) {
      waiting.set(id, { id, text, state: 'queued', sent: false })
      push(id, 'queued')
    },
    take() {
      const all = unsent()
      for (const found of all) found.sent = true
      return all
    },
    takeOne() {
      const [found] = unsent()
      if (found) found.sent = true
      return found
    },
    delivered(id) {
      const found = waiting.get(id)
      if (found) moved(found, 'delivered')
    },
    comesBack(id) {
      const found = waiting.get(id)
      if (found) found.sent = false
    },
    heard({ clientId, content }) {
      const text = content.map((part) => part.text ?? '').join('')
      // versions before 0.140 do not name it: the same words are the same message
      const found =
        waiting.get(clientId ?? '') ??
        [...waiting.values()].find((each) => !clientId && each.sent && each.text === text)
      if (!found) return
      moved(found, 'delivered')
      moved(found, 'applied')
      waiting.delete(found.id)
    },
    turnEnded() {
      for (const found of waiting.values()) found.sent = false
    },
  }
}
