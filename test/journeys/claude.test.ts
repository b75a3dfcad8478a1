import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { taggedProcesses } from '../../adapters/process-tree.ts'
import type { Reply } from '../../contracts/api.ts'
import { AGENT_STAGES } from '../../contracts/stages.ts'
import { installClaude } from '../agents/install.ts'
import { type ModelServer, startModelServer } from '../model-server/model-server.ts'
import type { RecordedRequest } from '../model-server/step.ts'
import { git, type Installation, isOver, startInstallation } from '../support/installation.ts'
import { until } from '../support/until.ts'

const RUN = 'journey'
const PLANNING: readonly string[] = ['spec', 'test_spec', 'security_spec']
let model: ModelServer
let at: Installation
beforeAll(async () => {
  const claude = await installClaude()
  model = await startModelServer()
  at = await startInstallation({
    env: {
      PATH: `${dirname(claude)}:${process.env['PATH']}`,
      ANTHROPIC_BASE_URL: model.url('pipeline', RUN),
      ANTHROPIC_API_KEY: 'sk-ant-fake-key-of-a-test',
    },
  })
  await at.call('PATCH', '/api/settings', {
    maxConcurrent: 4,
    maxPerGoal: 1,
    skipSpecReview: true,
  })
  // where the work of one stage is looked at, the stages before it are the demo's
  const stages = Object.fromEntries(
    AGENT_STAGES.map((stage) => [stage, { adapter: PLANNING.includes(stage) ? 'demo' : 'claude' }]),
  )
  const made = await at.call('POST', '/api/profiles', { name: 'Claude works', stages })
  expect(made.status).toBe(201)
}, 600_000)
afterAll(async () => {
  await at?.close()
  await model?.close()
})

describe.concurrent('Claude Code, the real one', () => {
  test('brings a goal from its text to a merge whose tests pass, counted to the token', async () => {
    const { repo, id } = await at.project()
    const goal = await at.goal(id, 'Finish textkit', { profile: 'Default' })
    const done = await at.approveAll(goal.id)
    expect(done).toMatchObject({ status: 'completed', stage: 'merge' })
    expect(git(repo, 'rev-parse', 'main')).toBe(done.mergedCommit)
    expect(git(repo, 'show', 'main:src/slugify.js')).toContain('normalize')
    const requests = model.requests(RUN).filter(isOf('Finish textkit'))
    expect(done.usage.input).toBe(requests.length * 1200)
    expect(done.usage.output).toBe(requests.length * 34)
    expect(done.usage.costUsd).toBeGreaterThan(0)
  })

  test('a correction is in the very next request, stored, and told to later attempts', async () => {
    const { goal, agent } = await atWork('Correct me')
    const before = model.requests(RUN).filter(isImplementOf('Correct me')).length
    const text = 'Keep every function pure.'
    const made = await at.call<Reply<'correctAgent'>>(
      'POST',
      `/api/agents/${agent.shortId}/corrections`,
      { text },
    )
    expect(made).toMatchObject({ status: 201, body: { state: 'queued', text } })
    await model.request(RUN, (r) => isImplementOf('Correct me')(r) && has(r, text))
    const after = model.requests(RUN).filter(isImplementOf('Correct me'))
    expect(after.findIndex((request) => has(request, text))).toBe(before)
    await at.until(goal.id, (g) => g.implementation.length > 0)
    const { body } = await at.call<Reply<'getAgent'>>('GET', `/api/agents/${agent.id}`)
    expect(body.corrections).toMatchObject([{ state: 'applied', text }])
    const { implementation } = await at.until(goal.id, (g) => g.implementation.length > 0)
    expect(implementation[0]?.output.deviations.join()).toContain(text)
    const late = await at.call<{ detail: string }>('POST', `/api/agents/${agent.id}/corrections`, {
      text,
    })
    expect(late).toMatchObject({
      status: 409,
      body: { detail: `${agent.shortId} is over (done).` },
    })
    const verify = await model.request(RUN, (r) => isOf('Correct me')(r) && isStage(r, 'verify'))
    expect(has(verify, text)).toBe(true)
    await cancel(goal.id)
  })

  test('a pause keeps the session, and the work goes on in it', async () => {
    const { goal, agent } = await atWork('Pause me')
    await at.call('POST', `/api/goals/${goal.id}/pause`, {})
    await at.until(goal.id, (g) =>
      g.stages.some((s) => s.stage === 'implement' && s.status === 'paused'),
    )
    expect(await runsOf(goal.id)).toMatchObject([{ status: 'interrupted' }])
    expect(processesOf(agent.id)).toEqual([])
    await at.call('POST', `/api/goals/${goal.id}/resume`, {})
    await at.until(goal.id, (g) => g.implementation.length > 0)
    await expectSameSession(goal.id, 'Pause me')
    await cancel(goal.id)
  })

  test('a killed runner takes its tree along, and the session is resumed', async () => {
    const { goal, agent } = await atWork('Kill me')
    // Claude Code writes its session down some time after it said something; what it had not written is lost with it
    await until(() => toolsOnDisk(agent.sessionId).includes('Write'), {
      ms: 30_000,
      what: 'the session on the disk',
    })
    const file = join(at.home, 'dispatch', 'runs', agent.id, 'runner.json')
    const { pid } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number }
    process.kill(pid, 'SIGKILL')
    await at.until(goal.id, (g) => g.implementation.length > 0)
    expect(processesOf(agent.id)).toEqual([])
    expect((await runsOf(goal.id))[0]).toMatchObject({ id: agent.id, status: 'lost' })
    await expectSameSession(goal.id, 'Kill me')
    await cancel(goal.id)
  })
})

/** A goal whose implementing agent has a tool at work that takes some seconds. */
async function atWork(title: string) {
  const { id } = await at.project()
  const description = 'Finish it slowly. [demo:all=instant] [demo:tasks=1]'
  const goal = await at.goal(id, description, { title, profile: 'Claude works' })
  await model.request(RUN, isImplementOf(title))
  await at.until(goal.id, (g) =>
    g.stages.some((s) => s.stage === 'implement' && s.status === 'running'),
  )
  const isResting = async () =>
    (await runsOf(goal.id)).find(({ lastLine }) => lastLine?.includes('rested'))
  const agent = await until(isResting, { ms: 60_000, what: `a tool of "${title}" at work` })
  return { goal, agent }
}

/** Ends the goal and waits for its agents, which write into the home until they have ended. */
async function cancel(goalId: string): Promise<void> {
  await at.call('POST', `/api/goals/${goalId}/cancel`, {})
  await at.until(goalId, isOver)
  const { body } = await at.call<Reply<'listAgents'>>('GET', `/api/agents?goal=${goalId}`)
  const areGone = () => body.items.every(({ id }) => processesOf(id).length === 0)
  await until(areGone, { ms: 20_000, what: 'the end of the cancelled agents' })
}

/** The goal's implementing runs, oldest first. */
async function runsOf(goalId: string) {
  const { body } = await at.call<Reply<'listAgents'>>('GET', `/api/agents?goal=${goalId}`)
  return body.items.filter((run) => run.stage === 'implement').reverse()
}

async function expectSameSession(goalId: string, title: string) {
  const [first, ...others] = await runsOf(goalId)
  const second = others.find(({ taskId }) => taskId === first?.taskId)
  expect(second).toMatchObject({ sessionId: first?.sessionId, segment: 2 })
  // the model was told what it did before
  const resumed = await model.request(
    RUN,
    (r) => isImplementOf(title)(r) && has(r, 'You were interrupted'),
  )
  const done = resumed.said.filter(({ from }) => from === 'agent').map(({ text }) => text)
  expect(done).toContain('[Write]')
}

/**
 * The tools that the agent called, as Claude Code stored its session. By its messages alone: the same file may hold
 * what was sent to the model, with the name of each tool there is (`api-request-shape`, seen with 2.1.332).
 */
function toolsOnDisk(sessionId: string | null): (string | undefined)[] {
  const folder = join(at.home, '.claude', 'projects')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const file = files.find((name) => name.endsWith(`${sessionId}.jsonl`))
  if (file === undefined) return []
  const whole = readFileSync(join(folder, file), 'utf8').split('\n').slice(0, -1)
  const messages = whole.map((line) => JSON.parse(line) as StoredLine)
  return messages.flatMap(({ message }) =>
    message?.role === 'assistant' ? message.content.map(({ name }) => name) : [],
  )
}

/** A line of a stored session, as far as it is read here. */
type StoredLine = {
  message?: { role: 'user' } | { role: 'assistant'; content: { name?: string }[] }
}

const processesOf = (runId: string) => taggedProcesses().filter((found) => found.runId === runId)
const has = ({ said }: RecordedRequest, words: string) =>
  said.some(({ text }) => text.includes(words))
const isStage = (request: RecordedRequest, stage: string) => has(request, `<stage>${stage}</stage>`)
const isOf = (title: string) => (request: RecordedRequest) =>
  has(request, `<goal_title>${title}`) || has(request, `<goal_title>\n${title}`)
const isImplementOf = (title: string) => (request: RecordedRequest) =>
  isOf(title)(request) && isStage(request, 'implement')
