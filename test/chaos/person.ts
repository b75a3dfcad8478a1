import type { Answer, OwnStack } from '../support/own-stack.ts'
import { until } from '../support/until.ts'

/** A person who approves whatever waits, through the API, and tries again when nobody answers. */
export interface Person {
  /** Answers to decisions that were neither taken nor a repeat of the same: none is well. */
  refused: Answer[]
  leave(): Promise<void>
}

/** Where the person asks: one stack, or a team's servers behind one address. */
type Asked = Pick<OwnStack, 'call' | 'insist'>

interface Pending {
  id: string
  kind: string
}

/** `meet` is called before each decision, once per review; the person waits for it. `patience`: longest wait for a review, in ms. */
export function startPerson(
  at: Asked,
  goalId: string,
  meet: (review: Pending) => Promise<void> = async () => undefined,
  patience = 240_000,
): Person {
  const refused: Answer[] = []
  const met = new Set<string>()
  let here = true

  async function work() {
    while (here) {
      const review = await until<Pending | 'gone'>(
        async () => (here ? nextReview(at, goalId) : 'gone'),
        {
          ...{ ms: patience, what: 'a review or the end', everyMs: 250 },
        },
      )
      if (review === 'gone') return
      if (!met.has(review.id)) await meet(review)
      met.add(review.id)
      const answer = await decide(at, review)
      // the review that was read may be void by now: then the next look finds the new one
      if (answer.status !== 200 && answer.body.code !== 'superseded') refused.push(answer)
    }
  }
  const working = work()
  working.catch(() => undefined) // told by leave()
  return {
    refused,
    async leave() {
      here = false
      await working
    },
  }
}

async function nextReview(at: Asked, goalId: string): Promise<Pending | undefined> {
  const answer = await at
    .call('GET', `/api/reviews?status=pending&goal=${goalId}`)
    .catch(() => undefined)
  return answer?.status === 200 ? answer.body.items[0] : undefined
}

/** The same decision again is harmless, so a lost answer is simply asked for again. */
async function decide(at: Asked, { id }: Pending): Promise<Answer> {
  const { body: review } = await at.insist('GET', `/api/reviews/${id}`)
  return at.insist('POST', `/api/reviews/${id}/decision`, {
    decision: 'approve',
    hash: review.hash,
    checklist: review.checklist.map((item: { id: string }) => item.id),
  })
}
