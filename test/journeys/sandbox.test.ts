import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { isAlive, taggedProcesses } from '../../adapters/process-tree.ts'
import { sandboxProblem } from '../../adapters/sandbox/probe.ts'
import type { Reply } from '../../contracts/api.ts'
import { storeSandboxProblem } from '../../db/machine.ts'
import { git, type Installation, startInstallation } from '../support/installation.ts'
import { until } from '../support/until.ts'

const problem = await sandboxProblem()
const name = problem ? `Under bubblewrap (not tried: ${problem})` : 'Under bubblewrap'

let at: Installation
beforeAll(async () => {
  at = await startInstallation()
})
afterAll(() => at.close())

async function shutIn(more: object = {}) {
  const { repo, id } = await at.project()
  const { status } = await at.call('PATCH', `/api/projects/${id}`, { sandbox: 'bwrap', ...more })
  expect(status).toBe(200)
  return { repo, id }
}

describe.skipIf(problem !== undefined)(name, () => {
  test('a whole goal is merged; its checks reach neither the home nor Dispatch nor Temporal nor Postgres', async () => {
    writeFileSync(join(at.home, 'private.txt'), 'private\n')
    const temporal = inject('temporalAddress').replace(':', '/')
    const { hostname, port } = new URL(at.url)
    const postgres = await postgresPlaces()
    const closed = [`${hostname}/${port}`, temporal, `127.0.0.1/${postgres.port}`]
    const checks = [
      { name: 'test', command: 'npm test' },
      {
        name: 'home',
        command: `! cat ${join(at.home, 'private.txt')} && test ! -e ${postgres.socket} && test ! -e ${at.home}/dispatch/logs`,
      },
      ...closed.map((place) => ({
        name: place,
        command: `bash -c '! (exec 3<>/dev/tcp/${place})'`,
      })),
    ]
    const { repo, id } = await shutIn({ checks })
    const goal = await at.goal(
      id,
      'Finish textkit [demo:all=instant] [demo:tasks=1] [demo:implement=commit,instant]',
    )
    const done = await at.approveAll(goal.id)
    const failed = done.verification.flatMap((each) => each.checks).filter((check) => !check.ok)
    expect(failed).toEqual([])
    expect(done).toMatchObject({ status: 'completed', stage: 'merge' })
    expect(git(repo, 'rev-parse', 'main')).toBe(done.mergedCommit)
    expect(git(repo, 'show', 'main:src/slugify.js')).toContain('normalize')
    expect(done.verification[0]?.checks.map((check) => check.name)).toEqual(
      checks.map((check) => check.name),
    )
  })

  test('a profile takes the network away where the project allows all: at once, and for its goals when it is gone', async () => {
    const checks = [{ name: 'no network', command: 'test -z "$HTTPS_PROXY"' }]
    const { id } = await shutIn({ network: 'all', checks })
    const { stages } = (await at.call<Reply<'getProfile'>>('GET', '/api/profiles/Demo')).body
    await at.call('POST', '/api/profiles', { name: 'Alone', stages })
    const file = (title: string) =>
      at.goal(id, `${title} [demo:all=instant] [demo:tasks=1] [demo:implement=commit,instant]`, {
        profile: 'Alone',
      })
    const isShut = async (goalId: string) => {
      const done = await at.approveAll(goalId)
      const results = done.verification.flatMap((each) => each.checks)
      expect(results.length).toBeGreaterThan(0)
      expect(results.filter(({ ok }) => !ok)).toEqual([])
    }
    const first = await file('Begun before')
    await at.call('PATCH', '/api/profiles/Alone', { network: 'none' })
    const second = await file('Begun after')
    await isShut(first.id)
    expect((await at.call('DELETE', '/api/profiles/Alone')).status).toBe(200)
    await isShut(second.id)
  })

  test('a runner that is killed takes its agent along at once, and the goal goes on', async () => {
    const { id } = await shutIn({ network: 'none' })
    const goal = await at.goal(
      id,
      'Killed [demo:all=instant] [demo:tasks=1] [demo:implement=instant,slow:4]',
    )
    await at.decide(goal.id, 'spec')
    const atWork = ({ working }: Reply<'getGoal'>) =>
      working.find(({ stage }) => stage === 'implement')
    const run = atWork(await at.until(goal.id, (g) => atWork(g) !== undefined))
    // bwrap, the first process of its namespace, and the agent
    const before = await until(
      () => {
        const tree = taggedProcesses().filter(({ runId }) => runId === run?.runId)
        return tree.length >= 3 && tree
      },
      { ms: 20_000, what: 'an agent in its sandbox', everyMs: 5 },
    )
    const [bwrap] = before.toSorted((a, b) => a.pid - b.pid)
    process.kill(bwrap?.parent ?? 0, 'SIGKILL')
    await until(() => !before.some(isAlive), {
      ms: 20_000,
      what: 'the end of the whole tree',
      everyMs: 5,
    })
    expect((await at.approveAll(goal.id)).status).toBe('completed')
  })
})

test('where no sandbox can be made, it is refused with what to do, doctor says so, and no agent starts without one', async () => {
  const { id } = await at.project()
  const knex = at.database.knex
  await storeSandboxProblem(
    knex,
    'bubblewrap is not installed. Install it: apt-get install bubblewrap',
  )
  const refused = await at.call<{ detail: string }>('PATCH', `/api/projects/${id}`, {
    sandbox: 'bwrap',
  })
  expect(refused).toMatchObject({ status: 422, body: { code: 'no_sandbox' } })
  expect(refused.body.detail).toContain('apt-get install bubblewrap')
  await knex('projects').where({ id }).update({ sandbox: 'bwrap' })
  const { body } = await at.call<Reply<'runDoctor'>>('POST', '/api/doctor', { repair: false })
  expect(body.findings.find((finding) => finding.name === 'sandbox')).toMatchObject({
    ok: false,
    message: expect.stringContaining('apt-get install bubblewrap'),
  })
  await storeSandboxProblem(knex, problem)
})

/** Where Postgres listens: its port, which may be of no use, and the socket that it has besides. */
async function postgresPlaces(): Promise<{ port: string; socket: string }> {
  const setting = async (name: string): Promise<string> =>
    (await at.database.knex('pg_settings').where({ name }).first('setting')).setting
  const [port, folder] = [await setting('port'), await setting('unix_socket_directories')]
  return { port, socket: join(folder, `.s.PGSQL.${port}`) }
}
