import { SYSTEM_STREAM } from '../../contracts/ids.ts'
import { routes } from '../../contracts/routes.ts'
import { refuseSandbox } from '../../db/machine.ts'
import { createProfile, deleteProfile, updateProfile } from '../../db/profiles.ts'
import { createProject, removeProject, updateProject } from '../../db/projects.ts'
import { isRefusal, type Refusal } from '../../db/refusal.ts'
import { holdProfile, resolveId, resolveProfile } from '../../db/resolve.ts'
import {
  listProfiles,
  listProjects,
  profileDetail,
  projectDetail,
} from '../../db/views/projects.ts'
import type { Handlers } from '../bind.ts'
import type { ChangeContext, Changes } from '../change.ts'
import type { ApiDeps } from '../deps.ts'

type ProjectRoutes = Pick<
  Handlers,
  | 'listProjects'
  | 'suggestProjects'
  | 'createProject'
  | 'getProject'
  | 'updateProject'
  | 'deleteProject'
>
type ProfileRoutes = Pick<
  Handlers,
  'listProfiles' | 'createProfile' | 'getProfile' | 'updateProfile' | 'deleteProfile'
>

export function projectRoutes(deps: ApiDeps, changes: Changes): ProjectRoutes {
  const { knex } = deps.database

  const onProject = <T>(
    idText: string,
    work: (at: ChangeContext, id: string) => Promise<T | Refusal>,
  ) =>
    changes.change(async (at) => {
      const project = await resolveId(at.tx, 'project', idText)
      return isRefusal(project) ? project : work(at, project.id)
    })

  return {
    listProjects: ({ query }) => listProjects(knex, query),

    async suggestProjects() {
      const known: string[] = await knex('projects').whereNull('removed_at').pluck('path')
      return { items: await deps.nearbyRepositories(known) }
    },

    createProject: ({ body, idempotencyKey }) =>
      changes.create(
        { route: 'createProject', status: routes.createProject.status, idempotencyKey, body },
        async ({ tx, emit, actor }) => {
          const profile =
            body.profile === undefined ? undefined : await holdProfile(tx, body.profile)
          if (isRefusal(profile)) return profile
          const noSandbox = body.sandbox === 'bwrap' ? await refuseSandbox(tx) : undefined
          if (noSandbox) return noSandbox
          const target = body.defaultBranch
          const info = await deps.inspectRepository(body.path, target ? { target } : {})
          const made = await createProject(tx, emit, {
            path: info.root,
            name: body.name,
            defaultBranch: target,
            ownBranch: info.defaultBranch,
            checks: body.checks,
            profileId: profile?.id,
            trusted: body.trusted,
            sandbox: body.sandbox,
            network: body.network,
            actor,
          })
          if (isRefusal(made)) return made
          const notes = notesOn(info)
          return { ...(await projectDetail(tx, made.id)), ...(notes.length > 0 ? { notes } : {}) }
        },
      ),

    async getProject({ params }) {
      const project = await resolveId(knex, 'project', params.id)
      return isRefusal(project) ? project : projectDetail(knex, project.id)
    },

    updateProject: ({ params, body, mustBe }) =>
      onProject(params.id, async ({ tx, emit, actor }, id) => {
        await tx('projects').where({ id }).forUpdate().first('id')
        mustBe(await projectDetail(tx, id))
        const { profile, ...change } = body
        const found = profile ? await holdProfile(tx, profile) : undefined
        if (isRefusal(found)) return found
        const noSandbox = change.sandbox === 'bwrap' ? await refuseSandbox(tx) : undefined
        if (noSandbox) return noSandbox
        if (change.defaultBranch !== undefined) {
          const { path } = await projectDetail(tx, id)
          await deps.inspectRepository(path, { target: change.defaultBranch })
        }
        const profileId = profile === null ? null : found?.id
        await updateProject(tx, emit, { id, change: { ...change, profileId }, actor })
        return projectDetail(tx, id)
      }),

    deleteProject: ({ params }) =>
      onProject(
        params.id,
        async ({ tx, emit, actor }, id) => (await removeProject(tx, emit, { id, actor })) ?? { id },
      ),
  }
}

/** What is carried as it is, but that agents cannot work on. */
function notesOn(info: { submodules: boolean; lfs: boolean; filters: string[] }): string[] {
  const submodules =
    "It has submodules: agents see their folders empty. Add a submodule's own repository as a project to work on it."
  const lfs =
    'It uses Git LFS: agents see pointers instead of the large files. Keep those files out of goals.'
  const filters = `It uses the git filter ${info.filters.join(', ')}, which Dispatch does not run: agents see those files as they are stored, and a goal that changes one is left for you to merge by hand.`
  return [
    ...(info.submodules ? [submodules] : []),
    ...(info.lfs ? [lfs] : []),
    ...(info.filters.length > 0 ? [filters] : []),
  ]
}

export function profileRoutes(deps: ApiDeps, changes: Changes): ProfileRoutes {
  const { knex } = deps.database

  const onProfile = <T>(
    idText: string,
    work: (at: ChangeContext, id: string) => Promise<T | Refusal>,
  ) =>
    changes.change(async (at) => {
      const profile = await holdProfile(at.tx, idText, 'changed')
      return isRefusal(profile) ? profile : told(at, await work(at, profile.id))
    })

  return {
    listProfiles: async () => ({ items: await listProfiles(knex), next: null }),
    createProfile: ({ body, idempotencyKey }) =>
      changes.create(
        { route: 'createProfile', status: routes.createProfile.status, idempotencyKey, body },
        async (at) => {
          const made = await createProfile(at.tx, body)
          return isRefusal(made) ? made : told(at, await profileDetail(at.tx, made.id))
        },
      ),
    async getProfile({ params }) {
      const profile = await resolveProfile(knex, params.id)
      return isRefusal(profile) ? profile : profileDetail(knex, profile.id)
    },
    updateProfile: ({ params, body, mustBe }) =>
      onProfile(params.id, async ({ tx }, id) => {
        mustBe(await profileDetail(tx, id))
        return (await updateProfile(tx, id, body)) ?? profileDetail(tx, id)
      }),
    deleteProfile: ({ params }) =>
      onProfile(params.id, async ({ tx }, id) => (await deleteProfile(tx, id)) ?? { id }),
  }
}

/** Every page that shows profiles is told of a change. */
function told<T>({ emit, actor }: ChangeContext, result: T | Refusal): T | Refusal {
  if (!isRefusal(result))
    emit({
      ...{ type: 'settings.changed', stream: SYSTEM_STREAM, actor },
      data: { keys: ['profiles'] },
    })
  return result
}
