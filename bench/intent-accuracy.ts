import type { Bench, Row } from './lib/row.ts'
import { type Accuracy, intentAccuracy } from './routing/accuracy.ts'

/** Share of the held fifth that has to be read as a person labelled it. */
const AIM = 0.9

/** How often Auto Model reads an intent as a person labelled it. Not a time: here so that figures have one home. */
export const intents: Bench = {
  name: 'intents',
  async run() {
    const { tuned, held } = intentAccuracy()
    return [
      row('intents-held', 'Intents read rightly, the fifth nobody tuned on', held, {
        aim: `>= ${AIM * 100} %`,
        met: held.right / held.of >= AIM,
      }),
      row('intents-tuned', 'Intents read rightly, the rest of the labelled set', tuned, {}),
    ]
  },
}

function row(id: string, what: string, accuracy: Accuracy, more: Pick<Row, 'aim' | 'met'>): Row {
  return {
    ...{ id, what, unit: '%', value: (100 * accuracy.right) / accuracy.of },
    note: `${accuracy.right} of ${accuracy.of} lines of bench/routing/intents.tsv.`,
    ...more,
  }
}
