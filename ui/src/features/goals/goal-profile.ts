import { AUTO } from '../../../../contracts/agent.ts'
import type { AdapterInfo, Profile, Project } from '../../../../contracts/schemas.ts'
import { listed } from '../../lib/format.ts'

/** What a project's goals go by when neither it nor they name another. */
const DEFAULT_NAME = 'Default'

/** The profile of a project's goals that name none. */
export function ownProfile(
  profiles: readonly Profile[],
  project: Pick<Project, 'profileId'> | undefined,
): Profile | undefined {
  return profiles.find(({ id, name }) =>
    project?.profileId ? id === project.profileId : name === DEFAULT_NAME,
  )
}

/** Why a goal of this profile would wait for a person at once: no agent of it is installed. */
export function missingAgents(
  profile: Pick<Profile, 'name' | 'stages'>,
  adapters: readonly Pick<AdapterInfo, 'adapter' | 'title' | 'found'>[],
): string | undefined {
  const names = [...new Set(Object.values(profile.stages).map(({ adapter }) => adapter))]
  const infoOf = (name: string) => adapters.find(({ adapter }) => adapter === name)
  if (names.some((name) => name === AUTO || infoOf(name)?.found)) return undefined
  const titles = listed(names.map((name) => infoOf(name)?.title ?? name))
  return `The profile ${profile.name} needs ${titles}, not installed here. Install what it needs, or choose another profile.`
}
