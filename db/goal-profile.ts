import { goalStream, goalWorkflowId } from '../contracts/ids.ts'
import { SET_ADAPTERS, type StageAdapters } from '../contracts/messages.ts'
import { DEFAULT_PROFILE } from '../contracts/profile.ts'
import type { Profile, ProfileSnapshot } from '../contracts/schemas.ts'
import { AGENT_STAGES } from '../contracts/stages.ts'
import type { Tx } from './connect.ts'
import type { EmittedEvent } from './events.ts'
import { enqueue } from './outbox.ts'
import { isRefusal, type Refusal } from './refusal.ts'

/** Puts an agent where a profile says `auto`; refused where nobody can work. */
export type Assign = (
  profile: Pick<Profile, 'stages' | 'fallbacks'>,
) => Promise<ProfileSnapshot['stages'] | Refusal>

/** What a goal keeps of a profile, apart from the settings. `profileId` null means `Default`. */
export async function keepProfile(
  tx: Tx,
  profileId: string | null,
  assign?: Assign,
): Promise<
  | Pick<ProfileSnapshot, 'name' | 'stages' | 'id' | 'secondOpinion' | 'fallbacks' | 'network'>
  | Refusal
> {
  const profile = await tx('profiles')
    .where(profileId === null ? { name: DEFAULT_PROFILE } : { id: profileId })
    .first()
  if (!profile) throw new Error(`the profile ${profileId ?? DEFAULT_PROFILE} is not there`)
  const stages = (await assign?.(profile)) ?? profile.stages
  if (isRefusal(stages)) return stages
  return {
    name: profile.name,
    stages,
    id: profile.id,
    secondOpinion: profile.second_opinion,
    fallbacks: profile.fallbacks,
    network: profile.network,
  }
}

/**
 * Gives a goal another profile from the next run on. Runs at work go on; what ended without an answer is begun anew by the new agent,
 * and a task that a person gave to an agent stays with it. What the goal keeps of the settings stays as it was.
 */
export async function changeProfile(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  input: { goalId: string; profileId: string; assign: Assign; actor: string },
): Promise<Refusal | undefined> {
  const { goalId, actor } = input
  const kept = await keepProfile(tx, input.profileId, input.assign)
  if (isRefusal(kept)) return kept
  const { profile: before, now } = await tx('goals')
    .where({ id: goalId })
    .first('profile', tx.raw('now() as now'))
  const profile: ProfileSnapshot = { ...before, ...kept, since: new Date(now).toISOString() }
  await tx('goals')
    .where({ id: goalId })
    .update({ profile: JSON.stringify(profile), updated_at: tx.fn.now() })
  emit({
    type: 'goal.profile',
    stream: goalStream(goalId),
    actor,
    data: { goalId, profile: kept.name },
  })
  const payload = { signal: SET_ADAPTERS, args: { adapters: adaptersOf(profile) } } as const
  await enqueue(tx, { kind: 'signal', workflowId: goalWorkflowId(goalId), payload })
  return undefined
}

/** Which agent a profile names for each stage. */
export const adaptersOf = (profile: ProfileSnapshot): StageAdapters =>
  Object.fromEntries(
    AGENT_STAGES.map((stage) => [stage, profile.stages[stage].adapter]),
  ) as StageAdapters
