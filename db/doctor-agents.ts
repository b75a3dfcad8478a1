import type { Knex } from 'knex'
import type { Detection } from '../contracts/agent.ts'
import type { DoctorFinding } from './doctor.ts'

/** What the last look for agents found: which are started, which copies are not, and why. One that is not installed is no fault. */
export async function agentsFinding(knex: Knex): Promise<DoctorFinding> {
  const rows: { detection: Detection }[] = await knex('adapters')
    .orderBy('adapter')
    .select('detection')
  const agents = rows.map(({ detection }) => detection).filter(({ demo }) => !demo)
  const refused = agents.filter((agent) => agent.refused !== undefined)
  const base = { name: 'agents', repaired: false }
  if (refused.length > 0) {
    const message = refused.map(({ adapter, refused: why }) => `${adapter}: ${why}`).join('; ')
    const advice = 'mend that, or name the program: "dispatch settings claudePath /path/to/claude"'
    return { ...base, ok: false, message, advice }
  }
  const found = agents.filter((agent) => agent.found)
  const message = [...found.map(started), ...agents.flatMap(notStarted)].join('; ')
  return { ...base, ok: true, message: message || 'none is installed', advice: null }
}

const started = ({ adapter, version = '', binary, place }: Detection) =>
  `${[adapter, version].join(' ').trim()} at ${binary}${place ? ` (${place})` : ''}`

const notStarted = ({ others = [] }: Detection) =>
  others.map(({ path, why }) => `${path} is not started: ${why}`)
