import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { detectAdapters, findAdapter, openSession } from '../../adapters/registry.ts'
import { loadConfig } from '../../config/config.ts'
import type { AcpAgent, AgentEvent, RunSpec } from '../../contracts/agent.ts'
import { type ModelServer, startModelServer } from '../model-server/model-server.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { ACP } from './drivers.ts'
import { setGeminiStage } from './gemini-stage.ts'
import { installGemini } from './install-gemini.ts'
import { type Stage, setStage } from './play.ts'
import { scenariosOf } from './scenario-suite.ts'
import { isWholeMatrix } from './whole-matrix.ts'

scenariosOf(ACP)

const STUB = fileURLToPath(new URL('./agent-stub.mjs', import.meta.url))
let model: ModelServer
beforeAll(async () => {
  model = await startModelServer()
})
const stages: Stage[] = []
const folder = temporaryFolder('dispatch-acp-')
afterAll(async () => {
  for (const each of stages) each.remove()
  folder.remove()
  await model?.close()
})

function stage(how: string, more: Partial<RunSpec> = {}): Stage {
  const acp = { title: 'Stub', command: STUB }
  const made = setStage(model, 'answer', { adapter: 'acp:stub', acp, binary: STUB, ...more })
  made.spec.env['AGENT_STUB'] = `acp:${how}`
  stages.push(made)
  return made
}

describe.concurrent('an agent of the Agent Client Protocol', () => {
  test('may write: its question is answered with yes, and the file is told of', async () => {
    const at = stage('write-file')
    const { events, terminal } = await at.play()
    expect(terminal).toMatchObject({ type: 'done', output: { turn: 1 } })
    expect(events).toContainEqual({ type: 'file', path: 'hello.txt', change: 'create' })
    const usage = { input: 100, output: 10, cacheRead: 50, cacheWrite: 5, reasoning: 0 }
    expect(events).toContainEqual({ type: 'usage', usage })
  })

  test('may only read: its question is answered with no', async () => {
    const at = stage('write-file', { access: 'read' })
    const { events } = await at.play()
    expect(events.find(({ type }) => type === 'tool_result')).toMatchObject({ ok: false })
    expect(existsSync(join(at.cwd, 'hello.txt'))).toBe(false)
  })

  test('interrupted before it was asked anything, it is not asked', async () => {
    const at = stage('slow')
    const session = await openSession(at.spec, { signal: at.killer.signal })
    session.interrupt()
    const events: AgentEvent[] = []
    for await (const event of session.events) events.push(event)
    expect(events.at(-1)).toMatchObject({ type: 'failed', reason: 'interrupted' })
    expect(events.filter(({ type }) => type === 'text')).toEqual([])
    expect(at.processes()).toEqual([])
  })

  test('a session that is loaded tells nothing twice', async () => {
    const at = stage('answer')
    const first = await at.play()
    const made = first.events.find((event) => event.type === 'session')
    const resumeSessionId = made?.type === 'session' ? made.sessionId : ''
    const again = await at.resume({ resumeSessionId, prompt: 'Go on.' })
    expect(again.terminal.type).toBe('done')
    expect(again.events.some((e) => e.type === 'text' && e.text.includes('earlier'))).toBe(false)
  })

  test('one that can continue no session says "session", so that the work starts again', async () => {
    const { terminal } = await stage('no-load').resume()
    expect(terminal).toMatchObject({ type: 'failed', reason: 'session' })
  })
})

describe('configured', () => {
  test('by a section of config.toml, it is detected under its name', async () => {
    const home = join(folder.path, 'home')
    mkdirSync(home)
    const section = `[acp.stub]\ntitle = "Stub"\ncommand = "${STUB}"\nenv = ["STUB_KEY"]\n`
    writeFileSync(join(home, 'config.toml'), section)
    const { acpAgents } = loadConfig({ HOME: home }, { home })
    const adapter = await findAdapter('acp:stub', acpAgents)
    expect(adapter).toMatchObject({ name: 'acp:stub', loginVariables: ['STUB_KEY'] })
    const found = await detectAdapters({ env: { PATH: '/nowhere' }, paths: {} }, acpAgents)
    expect(found.find((each) => each.adapter === 'acp:stub')).toMatchObject({
      title: 'Stub',
      found: true,
      binary: STUB,
    })
    expect(await findAdapter('acp:other', acpAgents)).toBeUndefined()
  })
})

describe.runIf(isWholeMatrix)('gemini --acp, the real one', () => {
  test('writes a file and answers, with the tokens that it tells', async () => {
    const command = await installGemini()
    const acp: AcpAgent = { title: 'Gemini by ACP', command, args: ['--acp'] }
    const at = setGeminiStage(model, 'write-file', {
      binary: command,
      adapter: 'acp:gemini',
      acp,
      prompt: 'Write hello.txt.',
    })
    stages.push(at)
    const persons = join(at.spec.env['HOME'] ?? '', '.gemini')
    mkdirSync(persons)
    const auth = { security: { auth: { selectedType: 'gemini-api-key' } } }
    writeFileSync(join(persons, 'settings.json'), JSON.stringify(auth))
    const { terminal, events } = await at.play()
    expect(terminal).toMatchObject({ type: 'done', output: { answer: 42 } })
    expect(readFileSync(join(at.cwd, 'hello.txt'), 'utf8')).toBe('hello\n')
    expect(events.some(({ type }) => type === 'usage')).toBe(true)
  })
})
