import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Baseline } from './baseline.ts'
import type { Row } from './row.ts'

const FILE = fileURLToPath(new URL('../../docs/performance.md', import.meta.url))
const BEGIN = '<!-- measured: written by npm run bench -->'
const END = '<!-- /measured -->'

/** For the terminal. */
export function printTable(rows: readonly Row[]): void {
  for (const row of rows) {
    const floor = row.floor
      ? `, floor ${figure(row.floor.value, row.unit)} (${row.floor.what})`
      : ''
    const ratio = row.ratio === undefined ? '' : `, ${row.ratio.toFixed(2)}x`
    const p99 = row.p99 === undefined ? '' : `, p99 ${figure(row.p99, row.unit)}`
    const aim = row.aim ? `, aim ${row.aim}: ${row.met ? 'met' : 'MISSED'}` : ''
    console.log(`  ${row.what}: ${figure(row.value, row.unit)}${p99}${floor}${ratio}${aim}`)
    if (row.note) console.log(`      ${row.note}`)
  }
}

/** Replaces what stands between the markers of `docs/performance.md`. */
export function writeReport(baseline: Baseline): void {
  const text = existsSync(FILE) ? readFileSync(FILE, 'utf8') : `${BEGIN}\n${END}\n`
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END)
  if (begin === -1 || end < begin)
    throw new Error(`${FILE} has lost its markers ${BEGIN} and ${END}`)
  const between = `${BEGIN}\n${markdown(baseline)}\n`
  writeFileSync(FILE, text.slice(0, begin) + between + text.slice(end))
}

function markdown({ rows, machine }: Baseline): string {
  const list = Object.values(rows)
  const dates = [...new Set(list.map(({ at }) => at))].sort()
  const head = ['What', 'Median', 'p99', 'Floor', 'Ratio', 'Aim', 'Peers']
  const lines = list.map((row) =>
    [
      row.what,
      figure(row.value, row.unit),
      row.p99 === undefined ? '' : figure(row.p99, row.unit),
      row.floor ? `${figure(row.floor.value, row.unit)} ${row.floor.what}` : '',
      row.ratio === undefined ? '' : `${row.ratio.toFixed(2)}x`,
      row.aim ? `${row.aim}: ${row.met ? 'met' : '**missed**'}` : '',
      row.peers ?? '',
    ].join(' | '),
  )
  const notes = list.filter(({ note }) => note).map((row) => `- ${row.what}: ${row.note}`)
  return [
    `Measured ${dates.join(' and ')} on ${machine}; load of the machine before each run ${span(list.map(({ load }) => load))}.`,
    '',
    `| ${head.join(' | ')} |`,
    `|${head.map(() => '---').join('|')}|`,
    ...lines.map((line) => `| ${line} |`),
    '',
    ...notes,
  ].join('\n')
}

const span = (values: readonly number[]) => `${Math.min(...values)} to ${Math.max(...values)}`

function figure(value: number, unit: Row['unit']): string {
  const digits = unit === '' ? 0 : value >= 100 ? 0 : value >= 10 ? 1 : 2
  return `${value.toFixed(digits)}${unit === '' ? '' : unit === 'x' ? 'x' : ` ${unit}`}`
}
