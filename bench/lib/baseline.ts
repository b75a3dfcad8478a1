import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Row } from './row.ts'

/** When a row was measured, and the machine's load (1 minute) before that: above the number of cores, milliseconds mean little. */
interface Circumstances {
  at: string
  load: number
}

/** What a full run measured last: the record that the report is made from and quick runs are compared with. */
export interface Baseline {
  rows: Record<string, Row & Circumstances>
  machine: string
}

const FILE = fileURLToPath(new URL('../baseline.json', import.meta.url))
/** A ratio may be this much worse than the recorded one: below that is the noise of small runs on busy machines. */
const TOLERANCE = 1.5

export function readBaseline(): Baseline {
  if (!existsSync(FILE)) return { rows: {}, machine: '' }
  return JSON.parse(readFileSync(FILE, 'utf8')) as Baseline
}

/** Replaces the rows that were measured; the others stay as they were, with their date. */
export function writeBaseline(rows: readonly Row[]): Baseline {
  const at = new Date().toISOString().slice(0, 10)
  const before = readBaseline()
  const fresh = Object.fromEntries(
    rows.map((row) => [row.id, { ...rounded(row), at, load: loadAtStart }]),
  )
  const baseline = { machine: machine(), rows: { ...before.rows, ...fresh } }
  writeFileSync(FILE, `${JSON.stringify(baseline, null, 2)}\n`)
  return baseline
}

export function regressions(rows: readonly Row[], baseline: Baseline): string[] {
  return rows.flatMap((row) => {
    const before = baseline.rows[row.id]?.ratio
    if (before === undefined || row.ratio === undefined || row.ratio <= before * TOLERANCE)
      return []
    return [`${row.id} is ${row.ratio.toFixed(2)}x its floor, recorded was ${before.toFixed(2)}x`]
  })
}

const short = (value: number) => Number(value.toPrecision(4))

function rounded(row: Row): Row {
  return {
    ...row,
    value: short(row.value),
    ...(row.p99 === undefined ? {} : { p99: short(row.p99) }),
    ...(row.ratio === undefined ? {} : { ratio: short(row.ratio) }),
    ...(row.floor ? { floor: { ...row.floor, value: short(row.floor.value) } } : {}),
  }
}

function machine(): string {
  const git = execFileSync('git', ['--version'], { encoding: 'utf8' }).trim()
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`
  return `${cpus().length} cores, ${memory}, Linux ${release()}, Node ${process.versions.node}, ${git}`
}

const loadAtStart = Number((loadavg()[0] ?? 0).toFixed(1))
