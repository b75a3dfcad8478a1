import { AGENT_STAGES } from '../../contracts/stages.ts'
import { withMeasured } from '../chaos/report.ts'
import { ACTORS, CAST } from './cast.ts'
import type { GoalOutcome } from './play-goal.ts'
import type { Night } from './play-night.ts'

/** Puts the part into the page between its marks; the words around it are kept. */
export const withNight = (page: string, part: string): string => withMeasured(page, part, 'night')

/** What came of a night, as Markdown. */
export function nightPart(
  night: Night,
  run: { seed: number; goals: number; lanes: number; at: Date },
): string {
  const { outcomes, workersKilled, seconds, left } = night
  const lost = outcomes.filter(({ broken }) => broken.length > 0)
  const faults = outcomes.reduce((sum, { title }) => sum + night.faults.of(title).length, 0)
  const retries = outcomes.reduce((sum, outcome) => sum + outcome.retries, 0)
  const agents = ACTORS.map((actor) => CAST[actor].title).join(', ')
  return `${[
    `Run of ${run.at.toISOString().slice(0, 16).replace('T', ' ')} UTC: \`npm run test:night -- --seed ${run.seed} --goals ${run.goals} --lanes ${run.lanes}\`, with ${agents}.`,
    '',
    `**${outcomes.length} goals, ${outcomes.length - lost.length} merged with every invariant kept and paid to the token, ${lost.length} not.** ${(seconds / 60).toFixed(0)} minutes, ${faults} faults of the model, ${workersKilled} workers killed, a person pressed Retry ${retries} times. ${left.length} processes were left.`,
    '',
    ...lost.map(({ title, broken }) => `- ${title}: ${broken.join('; ').slice(0, 600)}`),
    ...(lost.length > 0 ? [''] : []),
    '| agent | answers that were served | tokens in | out | from the cache | into it |',
    '|---|---|---|---|---|---|',
    ...ACTORS.map((actor) => {
      const { input, output, cacheRead, cacheWrite } = night.bill.total(actor)
      return `| ${CAST[actor].title} | ${night.bill.answers(actor)} | ${input} | ${output} | ${cacheRead} | ${cacheWrite} |`
    }),
    '',
    'Of Claude Code by ACP the ledger has the turns that were answered: the protocol tells no tokens of a turn that failed. All others are exact.',
    '',
    `| goal | ${AGENT_STAGES.map((stage) => stage.replace('_', ' ')).join(' | ')} | faults | seconds |`,
    `|---|${AGENT_STAGES.map(() => '---|').join('')}---|---|`,
    ...outcomes.map((outcome) => lineOf(outcome, night)),
  ].join('\n')}\n`
}

function lineOf({ title, actors, seconds }: GoalOutcome, { faults }: Night): string {
  const met = faults.of(title).join(', ') || 'none'
  return `| ${title.replace(/^\D+/, '')} | ${actors.join(' | ')} | ${met} | ${seconds.toFixed(0)} |`
}
