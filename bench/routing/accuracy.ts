import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Intent, readIntent } from '../../domain/intent.ts'

/** One labelled intent; `held` ones are never looked at while the cues are written. */
interface Labelled {
  intent: Intent
  text: string
  held: boolean
}

export interface Accuracy {
  right: number
  of: number
  wrong: { text: string; expected: Intent; got: Intent; because: readonly string[] }[]
}

/** Reads the labelled set; a text belongs to the held fifth by its hash, so that adding lines moves no other line. */
function readLabelled(): Labelled[] {
  const file = new URL('./intents.tsv', import.meta.url)
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [intent, text] = line.split('\t') as [Intent, string]
      const held = (createHash('sha256').update(text).digest()[0] ?? 0) % 5 === 0
      return { intent, text, held }
    })
}

/** How many intents are read as a person labelled them, in the part that was tuned on and in the held part. */
export function intentAccuracy(): Record<'tuned' | 'held', Accuracy> {
  const all = readLabelled()
  return {
    tuned: judge(all.filter(({ held }) => !held)),
    held: judge(all.filter(({ held }) => held)),
  }
}

function judge(set: readonly Labelled[]): Accuracy {
  const wrong: Accuracy['wrong'] = []
  for (const { intent, text } of set) {
    const reading = readIntent(text)
    if (reading.intent !== intent)
      wrong.push({ text, expected: intent, got: reading.intent, because: reading.because })
  }
  return { right: set.length - wrong.length, of: set.length, wrong }
}
