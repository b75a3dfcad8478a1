import { median, quantile } from './stats.ts'

export interface Compared {
  subject: number
  subjectP99: number
  floor: number
  /** Median of the rounds' own ratios: a machine that is slow for a while slows both of a round. */
  ratio: number
}

/**
 * Measures subject and floor in turns, A B A B, so that both meet the same machine. Each function answers milliseconds.
 * One round is run before and thrown away.
 */
export async function roundRobin(options: {
  rounds: number
  subject: (round: number) => Promise<number>
  floor: (round: number) => Promise<number>
}): Promise<Compared> {
  const subjects: number[] = []
  const floors: number[] = []
  for (let round = 0; round <= options.rounds; round += 1) {
    const subject = await options.subject(round)
    const floor = await options.floor(round)
    if (round === 0) continue
    subjects.push(subject)
    floors.push(floor)
  }
  return compare(subjects, floors)
}

/** The figures of rounds that were measured already, pair by pair. */
export function compare(subjects: readonly number[], floors: readonly number[]): Compared {
  return {
    subject: median(subjects),
    subjectP99: quantile(subjects, 0.99),
    floor: median(floors),
    ratio: median(subjects.map((value, index) => value / (floors[index] ?? Number.NaN))),
  }
}
