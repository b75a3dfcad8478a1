import { CORRECTION_FATES, type CorrectionFate } from '../../../../contracts/agent.ts'

/** How far a correction came, in a word and in a sentence. */
export const CORRECTION_STATES: Readonly<
  Record<CorrectionFate, { word: string; meaning: string }>
> = {
  queued: { word: 'Queued', meaning: 'Stored; it is handed to the agent as soon as it listens.' },
  delivered: { word: 'Delivered', meaning: 'The agent has it and takes it up at its next step.' },
  applied: { word: 'Applied', meaning: 'It was part of what the model was asked.' },
  expired: { word: 'Expired', meaning: 'No agent was asked anything after it.' },
}

/** The later of two states: what a run says is there at once, and what became of a correction after it is told to nobody by the run. */
export const laterOf = (one: CorrectionFate, other: CorrectionFate = 'queued'): CorrectionFate =>
  CORRECTION_FATES.indexOf(one) < CORRECTION_FATES.indexOf(other) ? other : one
