import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { taggedProcesses } from '../../adapters/process-tree.ts'
import type { Reply } from '../../contracts/api.ts'
import { AGENT_STAGES } from '../../contracts/stages.ts'
import { writeCodexHome } from '../agents/codex-stage.ts'
import { installCodex } from '../agents/install-codex.ts'
import { isWholeMatrix } from '../agents/whole-matrix.ts'
import { type ModelServer, startModelServer } from '../model-server/model-server.ts'
import type { RecordedRequest } from '../model-server/step.ts'
import { git, type Installation, isOver, startInstallation } from '../support/installation.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const RUN = 'journey'
let model: ModelServer
let at: Installation
let home: ReturnType<typeof temporaryFolder> | undefined

describe.runIf(isWholeMatrix)('Codex, the real one, in a goal', () => {
  beforeAll(async () => {
    const codex = await installCodex()
    home = temporaryFolder('dispatch-codex-')
    model = await startModelServer()
    writeCodexHome(home.path, model.url('pipeline', RUN))
    at = await startInstallation({
      env: {
        PATH: `${dirname(codex)}:${process.env['PATH']}`,
        CODEX_HOME: join(home.path, '.codex'),
      },
    })
    await at.call('PATCH', '/api/settings', { maxConcurrent: 4, skipSpecReview: true })
    const stages = Object.fromEntries(AGENT_STAGES.map((stage) => [stage, { adapter: 'codex' }]))
    const made = await at.call('POST', '/api/profiles', { name: 'Codex', stages })
    expect(made.status).toBe(201)
  }, 600_000)
  afterAll(async () => {
    await at?.close()
    await model?.close()
    home?.remove()
  })

  test('it brings it from its text to a merge whose tests pass, counted to the token', async () => {
    const { repo, id } = await at.project()
    const goal = await at.goal(id, 'Finish textkit', { profile: 'Codex' })
    const done = await at.approveAll(goal.id)
    expect(done).toMatchObject({ status: 'completed', stage: 'merge' })
    expect(git(repo, 'rev-parse', 'main')).toBe(done.mergedCommit)
    expect(git(repo, 'show', 'main:src/slugify.js')).toContain('normalize')
    const requests = model.requests(RUN).filter(isOf('Finish textkit'))
    expect(done.usage.input).toBe(requests.length * 1200)
    expect(done.usage.output).toBe(requests.length * 34)
    // it knows no price; Dispatch's own estimate
    expect(done.usage.costUsd).toBeGreaterThan(0)
  })

  test('a corrected agent whose runner is killed goes on in its session, correction and all', async () => {
    const { id } = await at.project()
    const title = 'Kill me'
    const goal = await at.goal(id, 'Finish it slowly. [demo:tasks=1]', { title, profile: 'Codex' })
    const isResting = async () =>
      (await runsOf(goal.id)).find(({ lastLine }) => lastLine?.includes('rested'))
    const agent = await until(isResting, { ms: 90_000, what: 'a tool at work' })
    const text = 'Keep every function pure.'
    await at.call('POST', `/api/agents/${agent.shortId}/corrections`, { text })
    const told = (r: RecordedRequest) => isOf(title)(r) && has(r, text)
    await model.request(RUN, told)
    const file = join(at.home, 'dispatch', 'runs', agent.id, 'runner.json')
    const { pid } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number }
    process.kill(pid, 'SIGKILL')
    const goesOn = (r: RecordedRequest) => told(r) && has(r, 'You were interrupted')
    await model.request(RUN, goesOn)
    await at.until(goal.id, (g) => g.implementation.length > 0)
    const [first, second] = await runsOf(goal.id)
    expect(first).toMatchObject({ id: agent.id, status: 'lost' })
    expect(second).toMatchObject({ sessionId: first?.sessionId, segment: 2 })
    expect(taggedProcesses().filter((found) => found.runId === agent.id)).toEqual([])
    await at.call('POST', `/api/goals/${goal.id}/cancel`, {})
    await at.until(goal.id, isOver)
  })
})

/** The goal's implementing runs, oldest first. */
async function runsOf(goalId: string) {
  const { body } = await at.call<Reply<'listAgents'>>('GET', `/api/agents?goal=${goalId}`)
  return body.items.filter((run) => run.stage === 'implement').reverse()
}

const has = ({ said }: RecordedRequest, words: string) =>
  said.some(({ text }) => text.includes(words))
const isOf = (title: string) => (request: RecordedRequest) =>
  has(request, `<goal_title>${title}`) || has(request, `<goal_title>\n${title}`)
