import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { descendantsOf, type TaggedProcess, taggedProcesses } from '../../adapters/process-tree.ts'
import { until } from '../support/until.ts'
import type { Container } from './container.ts'
import { brokenAtTheEnd, fileGoal, type TeamGoal, workerOf } from './goals.ts'
import type { Outcome } from './kills.ts'
import type { Team } from './team.ts'

/** The variables of the services that hold secrets, and of what leads to them. */
const SECRET = /DATABASE|POSTGRES|TEMPORAL|PASSWORD|API_KEY|\/secrets\//

/**
 * A check that shows what surrounds it and then waits. It must be run by `runners`, beside no secrets; with the worker that asked for it killed, and with
 * `runners`, it must be gone and run again.
 */
export async function killChecks(team: Team, say: (line: string) => void): Promise<Outcome> {
  const go = join(team.folder, 'go')
  const show = `env; tr '\\0' '\\n' < /proc/$PPID/environ`
  const command = `${show}; until [ -e ${go} ]; do sleep 0.1; done`
  const goal = await fileGoal(team, 'checks', { checks: [{ name: 'surroundings', command }] })
  const broken: string[] = []

  const first = await checkAtWork(team)
  broken.push(...placeOf(team, first))
  const worker = await workerOf(team, goal)
  const at = Date.now()
  const second = await again(
    team,
    first,
    [...team.containers.values()].find(({ pid }) => pid === worker),
  )
  const recoveryMs = Date.now() - at
  await again(team, second, team.containers.get('runners'))
  writeFileSync(go, '')

  broken.push(...(await brokenAtTheEnd(team, goal)), ...(await secretsSeen(team, goal)))
  const what = 'a check: the worker that asked for it, then runners'
  const meanwhile = 'it ended with each and was run again; it saw no secrets'
  say(`${what}: ${(recoveryMs / 1000).toFixed(1)} s; ${meanwhile}`)
  for (const line of broken) say(`  BROKEN ${line}`)
  return { what, meanwhile, recoveryMs, broken }
}

/** Processes of checks: those that belong to somebody. */
const checkProcesses = (team: Team): TaggedProcess[] =>
  taggedProcesses().filter(({ runDir, owned }) => owned && runDir?.startsWith(team.home.root))

const checkAtWork = (team: Team, unlike?: TaggedProcess): Promise<TaggedProcess> =>
  until(() => checkProcesses(team).find(({ runId }) => runId !== unlike?.runId), {
    ms: 60_000,
    what: 'a check at work',
    everyMs: 50,
  })

function placeOf(team: Team, check: TaggedProcess): string[] {
  const isBelow = ([, { pid }]: [string, Container]) =>
    descendantsOf(pid).some((each) => each.pid === check.pid)
  const places = [...team.containers].filter(isBelow).map(([name]) => name)
  return places.join() === 'runners' ? [] : [`the check was run by ${places.join() || 'nobody'}`]
}

/** Kills whoever the check depends on; resolves with the check that is run in its place, when nothing of it is left. */
async function again(
  team: Team,
  check: TaggedProcess,
  victim: Container | undefined,
): Promise<TaggedProcess> {
  if (!victim) throw new Error('whoever has the check is not of the team')
  await victim.kill()
  const left = () => taggedProcesses().filter(({ runId }) => runId === check.runId)
  await until(() => left().length === 0, { ms: 5_000, what: 'the end of the check', everyMs: 20 })
  if (victim.name === 'runners') await team.start(victim.name)
  const next = await checkAtWork(team, check)
  if (victim.name !== 'runners') await team.start(victim.name)
  return next
}

/** What the check printed must be its own environment and its parent's, without anything of the worker's. */
async function secretsSeen(team: Team, goal: TeamGoal): Promise<string[]> {
  const { body } = await team.insist('GET', `/api/goals/${goal.id}`)
  const output: string = body.verification[0]?.checks[0]?.output ?? ''
  if (!/^PATH=/m.test(output)) return [`the check printed no environment: ${output}`]
  return output
    .split('\n')
    .filter((line) => SECRET.test(line))
    .map((line) => `the check saw ${line}`)
}
