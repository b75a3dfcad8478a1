import { AUTO, type Network } from '../contracts/agent.ts'
import {
  AUTO_PROFILE,
  DEFAULT_PROFILE,
  DEMO_PROFILE,
  isBuiltIn,
  sameAgent,
} from '../contracts/profile.ts'
import type { Profile, StageAgent } from '../contracts/schemas.ts'
import { refuseUnknownAgent } from './adapters.ts'
import type { Database, Tx } from './connect.ts'
import { type Refusal, refuse } from './refusal.ts'

/** The agents of the product's own table; where one is not there, Claude does its stages, or whoever else is. */
const TABLE: Profile['stages'] = {
  spec: { adapter: 'codex' },
  test_spec: { adapter: 'claude' },
  security_spec: { adapter: 'codex' },
  implement: { adapter: 'claude' },
  frontend: { adapter: 'gemini' },
  verify: { adapter: 'claude' },
  audit: { adapter: 'claude' },
}
const TABLE_FALLBACKS: StageAgent[] = [{ adapter: 'claude' }, { adapter: AUTO }]

/** Makes the three profiles that are there at first, once; what a person changed in them stays. */
export async function seedProfiles(database: Database): Promise<void> {
  await database
    .knex('profiles')
    .insert([
      {
        name: DEFAULT_PROFILE,
        stages: JSON.stringify(TABLE),
        fallbacks: JSON.stringify(TABLE_FALLBACKS),
      },
      { name: AUTO_PROFILE, stages: JSON.stringify(sameAgent({ adapter: AUTO })) },
      { name: DEMO_PROFILE, stages: JSON.stringify(sameAgent({ adapter: 'demo' })) },
    ])
    .onConflict('name')
    .ignore()
}

interface ProfileExtras {
  conventions?: string | undefined
  secondOpinion?: StageAgent | null | undefined
  fallbacks?: StageAgent[] | undefined
  network?: Network | null | undefined
}

/** Refused where the name is taken, or an agent is not known or would be its own second opinion. */
export async function createProfile(
  tx: Tx,
  input: { name: string; stages: Profile['stages'] } & ProfileExtras,
): Promise<{ id: string } | Refusal> {
  const wrong =
    (await refuseUnknownAgent(tx, agentsOf(input))) ??
    sameOpinion(input.stages.verify, input.secondOpinion)
  if (wrong) return wrong
  const rows = await tx('profiles')
    .insert({ name: input.name, stages: JSON.stringify(input.stages), ...extras(input) })
    .onConflict('name')
    .ignore()
    .returning('id')
  return rows[0] ?? nameTaken(input.name)
}

type StageChanges = { [S in keyof Profile['stages']]?: StageAgent | undefined }

/** Running goals keep their snapshot. */
export async function updateProfile(
  tx: Tx,
  id: string,
  change: { name?: string | undefined; stages?: StageChanges | undefined } & ProfileExtras,
): Promise<Refusal | undefined> {
  // a name that is free here is still free when it is written
  await tx.raw('lock table profiles in share row exclusive mode')
  const before = await tx('profiles').where({ id }).forUpdate().first()
  const name = change.name ?? before.name
  if (name !== before.name && isBuiltIn(before.name))
    return refuse('in_use', `${before.name} is built in and keeps its name.`, {
      advice: 'Make another profile from it under the name that you want.',
    })
  if (before.name === DEMO_PROFILE && agentsOf(change).some(isReal))
    return refuse(
      'in_use',
      `${before.name} is the profile of the demo agent, which costs nothing: other agents cannot work in it.`,
      {
        advice: 'Make another profile from it, or change that of your goal or project.',
      },
    )
  const given = Object.entries(change.stages ?? {}).filter(([, agent]) => agent !== undefined)
  const stages = { ...before.stages, ...Object.fromEntries(given) }
  const taken = await tx('profiles').where({ name }).whereNot({ id }).first('id')
  if (taken) return nameTaken(name)
  const opinion = change.secondOpinion === undefined ? before.second_opinion : change.secondOpinion
  const wrong =
    (await refuseUnknownAgent(tx, agentsOf(change))) ?? sameOpinion(stages.verify, opinion)
  if (wrong) return wrong
  await tx('profiles')
    .where({ id })
    .update({ name, stages: JSON.stringify(stages), ...extras(change) })
  return undefined
}

/** Refused for one that is built in, or that projects use. Goals keep their snapshot of it. */
export async function deleteProfile(tx: Tx, id: string): Promise<Refusal | undefined> {
  const row = await tx('profiles').where({ id }).forUpdate().first('name')
  if (isBuiltIn(row.name))
    return refuse('in_use', `${row.name} is built in and cannot be deleted.`, {
      advice: 'Change it instead.',
    })
  const projects = await tx('projects')
    .where({ profile_id: id })
    .whereNull('removed_at')
    .pluck('name')
  if (projects.length > 0)
    return refuse('in_use', `Projects use this profile: ${projects.join(', ')}.`, {
      advice: 'Give them another profile first.',
      current: { projects },
    })
  await tx('projects').where({ profile_id: id }).update({ profile_id: null })
  await tx('profiles').where({ id }).delete()
  return undefined
}

/** Those that are named in a change. */
const agentsOf = (change: { stages?: StageChanges | undefined } & ProfileExtras) => [
  ...Object.values(change.stages ?? {}),
  change.secondOpinion,
  ...(change.fallbacks ?? []),
]

const isReal = (agent: StageAgent | null | undefined) => agent != null && agent.adapter !== 'demo'

const extras = ({ conventions, secondOpinion, fallbacks, network }: ProfileExtras) => ({
  ...(conventions === undefined ? {} : { conventions }),
  ...(secondOpinion === undefined
    ? {}
    : { second_opinion: secondOpinion && JSON.stringify(secondOpinion) }),
  ...(fallbacks === undefined ? {} : { fallbacks: JSON.stringify(fallbacks) }),
  ...(network === undefined ? {} : { network }),
})

/** An agent that agrees with itself is no second opinion. */
function sameOpinion(
  verify: StageAgent,
  second: StageAgent | null | undefined,
): Refusal | undefined {
  if (!second || second.adapter === AUTO || second.adapter !== verify.adapter) return undefined
  return refuse(
    'bad_setting',
    `Verify's own agent (${verify.adapter}) cannot be its second opinion.`,
    {
      advice: 'Choose another agent for the second opinion, or for Verify.',
    },
  )
}

const nameTaken = (name: string) =>
  refuse('name_taken', `There is already a profile named ${JSON.stringify(name)}.`, {
    advice: 'Choose another name, or change that profile.',
  })
