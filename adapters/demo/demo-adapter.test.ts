import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Writable } from 'node:stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AgentEvent, RunSpec } from '../../contracts/agent.ts'
import { STAGE_OUTPUTS } from '../../contracts/outputs.ts'
import { AGENT_STAGES, type AgentStage } from '../../contracts/stages.ts'
import { buildForTests } from '../../runner/build-for-tests.ts'
import { adapterConformance, type Scenario } from '../conformance.ts'
import { createDemoAdapter } from './demo-adapter.ts'
import { createPrinter } from './output.ts'
import { BEHAVIOURS } from './request.ts'
import { sampleFiles } from './sample.ts'

let built: Awaited<ReturnType<typeof buildForTests>>
beforeAll(async () => {
  built = await buildForTests()
})
afterAll(() => built.remove())

const SCRIPTS: Readonly<Record<Scenario, string>> = {
  answer: 'ok',
  'write-file': 'instant',
  slow: 'slow:20',
  'ignore-signals': 'ignore-signals,slow:20',
  crash: 'crash-once',
  'exit-without-result': 'no-result',
  hang: 'hang',
  garbage: 'instant,garbage',
  'long-line': 'instant,longline:50',
  flood: 'instant,flood:50',
  'leave-child': 'instant,leave-child',
  environment: 'instant,env',
  'not-logged-in': 'auth',
}

adapterConformance('demo', {
  makeAdapter: () => createDemoAdapter(built.demoAgent),
  play: (scenario) => ({ prompt: promptFor('implement', `[demo:implement=${SCRIPTS[scenario]}]`) }),
})

function promptFor(stage: AgentStage, goal: string, { attempt = 1, task = '' } = {}): string {
  const taskTag = task === '' ? '' : `<task>${task}</task>`
  return `<stage>${stage}</stage><attempt>${attempt}</attempt><goal_title>Finish textkit</goal_title><goal>${goal}</goal>${taskTag}`
}

test('what the demo agent says is cut between characters, not within an emoji', async () => {
  const lines: string[] = []
  const stdout = new Writable({ write: (chunk, _, done) => (lines.push(String(chunk)), done()) })
  const text = 'an odd number: 🚀🚀🚀🚀🚀🚀🚀🚀🚀\n🚀'
  await createPrinter(stdout, async () => undefined).say(text, 1)
  const pieces: string[] = lines.map((line) => JSON.parse(line).text)
  expect(pieces.length).toBeGreaterThan(1)
  expect(pieces.join('')).toBe(text)
  for (const piece of pieces) expect(piece).not.toMatch(/\p{Surrogate}/u)
})

describe('the demo agent', () => {
  let home: string
  let work: string
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'dispatch-demo-'))
    work = join(home, 'work')
    mkdirSync(work)
  })
  afterEach(() => rmSync(home, { recursive: true, force: true }))

  const writeSample = () => {
    for (const [file, content] of Object.entries(sampleFiles())) {
      mkdirSync(dirname(join(work, file)), { recursive: true })
      writeFileSync(join(work, file), content)
    }
  }
  async function run(prompt: string, more: Partial<RunSpec> = {}): Promise<AgentEvent[]> {
    const spec: RunSpec = {
      runId: randomUUID(),
      adapter: 'demo',
      cwd: work,
      prompt,
      access: 'write',
      newSessionId: randomUUID(),
      outputSchema: {},
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: home },
      silenceSeconds: 60,
      leaseSeconds: 60,
      ...more,
    }
    const adapter = createDemoAdapter(built.demoAgent)
    const io = { signal: new AbortController().signal }
    const { resumeSessionId } = spec
    const session =
      resumeSessionId === undefined
        ? adapter.start(spec, io)
        : adapter.resume({ ...spec, resumeSessionId }, io)
    const events: AgentEvent[] = []
    for await (const event of session.events) events.push(event)
    return events
  }
  const outputOf = (events: AgentEvent[]) => {
    const last = events.at(-1)
    return last?.type === 'done' ? last.output : last
  }
  const testsPass = () => {
    try {
      execFileSync(process.execPath, ['--test'], { cwd: work, stdio: 'ignore', env: {} })
      return true
    } catch {
      return false
    }
  }

  test.each(AGENT_STAGES)('gives a valid answer in %s', async (stage) => {
    const output = outputOf(await run(promptFor(stage, 'Write it. [demo:all=instant]')))
    expect(STAGE_OUTPUTS[stage].safeParse(output)).toMatchObject({ success: true })
  })

  test('the sample fails before and passes after its two tasks, and each alone is fine', async () => {
    writeSample()
    expect(testsPass()).toBe(false)
    const spec = STAGE_OUTPUTS.spec.parse(
      outputOf(await run(promptFor('spec', '[demo:all=instant]'))),
    )
    expect(spec.tasks.map((task) => task.dependsOn)).toEqual([[], []])
    for (const task of spec.tasks) {
      const before = promptFor('verify', '[demo:all=instant]', { task: JSON.stringify(task) })
      expect(resultsOf(outputOf(await run(before)))).toContain('fail')
      await run(promptFor('implement', '[demo:all=instant]', { task: JSON.stringify(task) }))
      expect(testsPass()).toBe(true)
      expect(resultsOf(outputOf(await run(before)))).toEqual(['pass'])
    }
    expect(readFileSync(join(work, 'src/slugify.js'), 'utf8')).not.toContain('not implemented')
    const list = execFileSync(process.execPath, [join(work, 'bin/textkit.js'), 'list'])
    expect(list.toString()).toBe('slug\nwords\nduration\n')
    expect(readFileSync(join(work, 'src/format-duration.js'), 'utf8')).toContain('UNITS')
  })

  test('a lie is caught by verify', async () => {
    writeSample()
    const task = JSON.stringify({
      title: 'Write slugify',
      description: 'slugify',
      role: 'implement',
    })
    const script = '[demo:implement=instant,lie-once][demo:verify=instant]'
    await run(promptFor('implement', script, { task }))
    expect(resultsOf(outputOf(await run(promptFor('verify', script, { task }))))).toEqual(['fail'])
    await run(promptFor('implement', script, { task, attempt: 2 }))
    expect(resultsOf(outputOf(await run(promptFor('verify', script, { task }))))).toEqual(['pass'])
  })

  test('what happens once does not happen after a resume', async () => {
    const prompt = promptFor('spec', '[demo:spec=instant,invalid-once]')
    const first = await run(prompt)
    expect(STAGE_OUTPUTS.spec.safeParse(outputOf(first)).success).toBe(false)
    const session = first.find((event) => event.type === 'session')
    const resumeSessionId = session?.sessionId ?? ''
    const second = await run('<stage>spec</stage><attempt>1</attempt><errors>not valid</errors>', {
      resumeSessionId,
    })
    expect(STAGE_OUTPUTS.spec.safeParse(outputOf(second)).success).toBe(true)

    const failing = await run(promptFor('audit', '[demo:audit=instant,fail-once]'))
    expect(failing.at(-1)).toMatchObject({ type: 'failed', reason: 'crash' })
  })

  test('directives shape the spec', async () => {
    const chain = outputOf(
      await run(promptFor('spec', '[demo:chain=3][demo:frontend][demo:all=instant]')),
    )
    const { tasks } = STAGE_OUTPUTS.spec.parse(chain)
    expect(tasks.map((task) => [task.role, task.dependsOn])).toEqual([
      ['implement', []],
      ['implement', ['t1']],
      ['implement', ['t2']],
      ['frontend', []],
    ])
  })

  test('an unknown directive is a notice', async () => {
    const events = await run(promptFor('spec', '[demo:all=instant][demo:dance]'))
    const notices = events.filter((event) => event.type === 'notice')
    expect(notices).toMatchObject([{ text: expect.stringContaining('[demo:dance]') }])
  })

  test.each([
    ['rate-limit:30', 'rate_limit', true],
    ['quota', 'quota', true],
    ['quota:unnamed', 'quota', false],
    ['overloaded', 'overloaded', false],
    ['auth', 'auth', false],
  ])('%s fails as %s', async (behaviour, reason, dated) => {
    const last = (await run(promptFor('spec', `[demo:spec=instant,${behaviour}]`))).at(-1)
    expect(last).toMatchObject({ type: 'failed', reason })
    expect(last && 'until' in last).toBe(dated)
  })

  test('frontend writes a page, conflict edits the readme, commit commits', async () => {
    await run(promptFor('frontend', '[demo:all=instant]'))
    expect(readFileSync(join(work, 'web/index.html'), 'utf8')).toContain('<h1>Finish textkit</h1>')
    execFileSync('git', ['init', '-q'], { cwd: work })
    const task = JSON.stringify({ title: 'Part one', description: 'x', role: 'implement' })
    await run(promptFor('implement', '[demo:implement=instant,conflict,commit]', { task }))
    expect(readFileSync(join(work, 'README.md'), 'utf8')).toBe('# Part one\n')
    const log = execFileSync('git', ['log', '--format=%s'], { cwd: work, encoding: 'utf8' })
    expect(log).toBe('Part one\n')
    expect(existsSync(join(work, 'notes'))).toBe(false)
  })
})

test('the guide names every behaviour that a script may ask for', () => {
  const guide = readFileSync('docs/guide.md', 'utf8')
  const table = guide.slice(guide.indexOf('### The demo agent'), guide.indexOf('## Sandbox'))
  const missing = [...BEHAVIOURS].filter(
    (name) => !table.includes(`\`${name}\``) && !table.includes(`\`${name}:`),
  )
  expect(missing).toEqual([])
})

function resultsOf(output: unknown): string[] {
  return [...new Set(STAGE_OUTPUTS.verify.parse(output).items.map((item) => item.result))]
}
