import { STAGES } from '../../contracts/stages.ts'
import type { Outcome } from './run-schedule.ts'
import type { Schedule, Victim } from './schedule.ts'

const VICTIMS: readonly Victim[] = ['worker', 'api', 'temporal', 'postgres', 'runner', 'agent']
/** Puts a measured part into the page between its marks, `<!-- name -->` and `<!-- /name -->`; the words around it are kept. */
export function withMeasured(page: string, measured: string, name = 'measured'): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [before, rest] = page.split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined)
    throw new Error(`the page has no ${begin} and ${end}`)
  return `${before}${begin}\n${measured}${end}${after}`
}

/** Figures of a run as Markdown. */
export function measuredPart(
  outcomes: readonly Outcome[],
  run: { agent: string; seed: number; lanes: number; at: Date },
): string {
  const failed = outcomes.filter(({ broken }) => broken.length > 0)
  return `${[
    `Run of ${run.at.toISOString().slice(0, 16).replace('T', ' ')} UTC: \`npm run chaos -- --seed ${run.seed} --count ${outcomes.length} --lanes ${run.lanes}\`, with ${run.agent}.`,
    '',
    `**${outcomes.length} schedules, ${outcomes.length - failed.length} with every invariant kept, ${failed.length} with a broken one.**`,
    '',
    ...failures(failed),
    '### Recovery, in seconds',
    ...recoveryTable(outcomes),
    '',
    '### What was hit in which stage',
    'Schedules whose victim was killed there (of a schedule with two victims, each counts). A dash: there is no agent in that stage.',
    '',
    ...hitTable(outcomes.map(({ schedule }) => schedule)),
    '',
    ...otherCounts(outcomes),
  ].join('\n')}\n`
}

function failures(failed: readonly Outcome[]): string[] {
  if (failed.length === 0) return []
  const rows = failed.map(
    ({ schedule, broken }) => `- ${schedule.index}: ${broken.join('; ').slice(0, 600)}`,
  )
  return ['### Broken', ...rows, '']
}

function recoveryTable(outcomes: readonly Outcome[]): string[] {
  const rows = [...VICTIMS, 'two at once', 'all'].map((name) => {
    const own = outcomes.filter(({ schedule: { victims } }) => {
      if (name === 'all') return true
      return name === 'two at once'
        ? victims.length > 1
        : victims.length === 1 && victims[0] === name
    })
    const times = own.flatMap(({ recoveryMs }) => (recoveryMs === undefined ? [] : [recoveryMs]))
    return `| ${name} | ${own.length} | ${[0.5, 0.95, 1].map((q) => seconds(quantile(times, q))).join(' | ')} |`
  })
  return ['| victim | schedules | p50 | p95 | max |', '|---|---|---|---|---|', ...rows]
}

/** The smallest value that at least a share `q` of all are not above. */
export function quantile(values: readonly number[], q: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]
}

const seconds = (ms: number | undefined) => (ms === undefined ? '' : (ms / 1000).toFixed(1))

function hitTable(schedules: readonly Schedule[]): string[] {
  const head = ['| victim |', ...STAGES.map((stage) => ` ${stage.replace('_', ' ')} |`)].join('')
  const rows = VICTIMS.map((victim) => {
    const cells = STAGES.map((stage) => {
      const processOfRun = victim === 'runner' || victim === 'agent'
      if (processOfRun && (stage === 'review' || stage === 'merge')) return '–'
      return schedules.filter((s) => s.stage === stage && s.victims.includes(victim)).length
    })
    return `| ${victim} | ${cells.join(' | ')} |`
  })
  return [head, `|---|${STAGES.map(() => '---|').join('')}`, ...rows]
}

function otherCounts(outcomes: readonly Outcome[]): string[] {
  const count = (holds: (schedule: Schedule) => boolean) =>
    outcomes.filter(({ schedule }) => holds(schedule)).length
  const named = outcomes.flatMap(({ namedMs }) => (namedMs === undefined ? [] : [namedMs]))
  return [
    `- Back at once: ${count((s) => s.comeback === 'at_once')}; back after 3 to 10 s: ${count((s) => s.comeback === 'late')}; down until people were told: ${count((s) => s.comeback === 'never')}.`,
    `- Silent agents: ${count((s) => s.agent === 'silent')}; talkative ones: ${count((s) => s.agent === 'talkative')}. Two victims at once: ${count((s) => s.victims.length > 1)}.`,
    `- With a service that stayed away, the state that people see named it after ${seconds(quantile(named, 0.5))} s (median of ${named.length}), ${seconds(quantile(named, 1))} s at most.`,
  ]
}
