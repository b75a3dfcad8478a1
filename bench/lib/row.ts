import type { Compared } from './round-robin.ts'

/** One line of the report. */
export interface Row {
  /** Stable name, the key in `baseline.json`. */
  id: string
  what: string
  unit: 'ms' | 'MB' | 'kB' | '%' | 'x' | ''
  value: number
  p99?: number
  floor?: { what: string; value: number }
  /** `value` over `floor`, as the median of the rounds' own ratios. */
  ratio?: number
  /** What it should be, for people, and whether it is. */
  aim?: string
  met?: boolean
  peers?: string
  note?: string
}

/** What every benchmark gets. */
export interface BenchContext {
  /** Fewer rounds, smaller sizes: under 90 s for all. */
  quick: boolean
  say: (line: string) => void
}

export interface Bench {
  name: string
  run(context: BenchContext): Promise<Row[]>
}

export function compared(
  id: string,
  what: string,
  figures: Compared,
  more: { floor: string } & Pick<Row, 'aim' | 'met' | 'peers' | 'note'>,
): Row {
  const { floor, ...rest } = more
  return {
    ...{ id, what, unit: 'ms', value: figures.subject, p99: figures.subjectP99 },
    floor: { what: floor, value: figures.floor },
    ratio: figures.ratio,
    ...rest,
  }
}
