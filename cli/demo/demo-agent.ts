import { sameAgent } from '../../contracts/profile.ts'
import type { Deps } from '../command.ts'
import { CliFailure } from '../failure.ts'
import { patiently } from './follow-goal.ts'

export const DEMO_AGENTS = ['demo', 'claude'] as const
export type DemoAgent = (typeof DEMO_AGENTS)[number]

/** Which profile the demo files its goal with, and what it says about who works. */
export interface Cast {
  profile: string
  about: string
}

/** Throws with what to do when the asked agent is not there or not logged in. */
export async function castOf(agent: DemoAgent, deps: Deps): Promise<Cast> {
  if (agent === 'demo')
    return {
      profile: 'Demo',
      about: 'The agent is the built-in demo agent: scripted, no model, no network, no cost.',
    }
  const { items } = await patiently(() => deps.call('listAdapters'), deps.signal)
  const found = items.find(({ adapter }) => adapter === agent)
  const { title = agent, advice } = found ?? {}
  if (!found?.found)
    throw new CliFailure(
      'error',
      'agent_missing',
      `${title} is not installed.`,
      advice ?? undefined,
    )
  if (found.login === 'needed')
    throw new CliFailure(
      'notLoggedIn',
      'agent_login',
      `${title} is not logged in.`,
      advice ?? undefined,
    )
  // this agent alone: another one that happens to be here would work with its own login
  await deps.call('createProfile', { body: { name: title, stages: sameAgent({ adapter: agent }) } })
  return {
    profile: title,
    about: `The agent is ${title} ${found.version ?? ''} (${found.binary ?? ''}), with the login that it has.`,
  }
}
