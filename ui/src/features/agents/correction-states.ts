import type { CorrectionFate } from '../../../../contracts/agent.ts'

/** How far a correction came, in a word and in a sentence. */
export const CORRECTION_STATES: Readonly<
  Record<CorrectionFate, { word: string; meaning: string }>
> = {
  queued: { word: 'Queued', meaning: 'Stored; it is handed to the agent as soon as it listens.' },
  delivered: { word: 'Delivered', meaning: 'The agent has it and takes it up at its next step.' },
  applied: { word: 'Applied', meaning: 'It was part of what the model was asked.' },
  expired: { word: 'Expired', meaning: 'No agent was asked anything after it.' },
}
