import type { Knex } from 'knex'
import type { DoctorFinding } from './doctor.ts'
import { sandboxProblem } from './machine.ts'

/** Whether the projects that ask for a sandbox can have one. */
export async function sandboxFinding(knex: Knex): Promise<DoctorFinding> {
  const [problem, wanted] = await Promise.all([
    sandboxProblem(knex),
    knex('projects').whereNull('removed_at').whereNot('sandbox', 'none').pluck('name'),
  ])
  const base = { name: 'sandbox', repaired: false }
  if (wanted.length === 0)
    return {
      ...base,
      ok: true,
      message: problem ? `no project asks for one. ${problem}` : 'can be made',
      advice: null,
    }
  const projects = wanted.join(', ')
  if (problem === undefined)
    return { ...base, ok: true, message: `made for ${projects}`, advice: null }
  const advice =
    'do that, or set the sandbox of the project to none: until then its agents do not start'
  return { ...base, ok: false, message: `${projects}: ${problem}`, advice }
}
