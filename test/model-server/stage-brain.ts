import { answer, type Findings, namedIn } from '../../adapters/demo/answers.ts'
import { type DemoRequest, isWhole, readRequest } from '../../adapters/demo/request.ts'
import { SAMPLE_FUNCTIONS } from '../../adapters/demo/sample.ts'
import { missingFunctions } from '../../adapters/demo/work.ts'
import type { ModelRequest, Said, Step } from './step.ts'

/**
 * The next step of a scripted model that works on a stage of the sample repository: what it does is read from the conversation alone,
 * so a resumed session goes on where it was. It uses the agent's own tools and gives the asked answer at the end.
 */
export function answerStage({ said, system }: ModelRequest): Step {
  const asked = said.findLastIndex(({ from, text }) => from === 'user' && text.includes('<stage>'))
  const whole = said.findLast(({ from, text }) => from === 'user' && isWhole(text))?.text ?? ''
  const request = readRequest(said[asked]?.text ?? '', whole)
  if (!request) return { do: 'say', text: 'This is no stage of a goal: there is nothing to do.' }
  const since = said.slice(asked + 1)
  const used = since.filter(({ from, text }) => from === 'agent' && /^\[\w+\]$/.test(text)).length
  const cwd = /working directory: (.+)/i.exec(`${system}\n${texts(said)}`)?.[1]?.trim() ?? ''
  const [first = NOTHING, ...others] = planFor(request, { cwd, since })
  const plan = [paced(first, request), ...others]
  return plan[Math.min(used, plan.length - 1)] ?? NOTHING
}

const NOTHING: Step = { do: 'say', text: '' }

/** The directives `silent:2` and `slow:2` of the demo agent, as the pace of the model. */
function paced(step: Step, { behaviours }: DemoRequest): Step {
  for (const { name, argument } of behaviours) {
    const seconds = Number(argument) || 2
    if (name === 'silent') return { ...step, delayMs: seconds * 1000 }
    const text = 'One word after the other. '.repeat(10)
    if (name === 'slow' && step.do !== 'decide')
      return { ...step, text, pieces: seconds * 20, everyMs: 50 } as Step
  }
  return step
}

const texts = (said: readonly Said[]) => said.map(({ text }) => text).join('\n')

/** What a correction looks like in the conversation, as Claude Code words it. */
const CORRECTION = /new message while you were working:\s*([^\n<]+)/
/** Codex adds it in the person's own words. */
const PLAIN_WORDS = /^[^<[]+$/

function correctionIn({ from, text }: Said): string | undefined {
  const wrapped = CORRECTION.exec(text)?.[1]
  return wrapped ?? (from === 'user' ? PLAIN_WORDS.exec(text)?.[0] : undefined)
}

function planFor(request: DemoRequest, at: { cwd: string; since: readonly Said[] }): Step[] {
  const deviations = at.since.flatMap((said) => {
    const correction = correctionIn(said)
    return correction ? [`Followed the correction: ${correction}`] : []
  })
  const missing = missingFunctions(at.cwd)
  const finish = (found: Partial<Findings>): Step => ({
    do: 'answer',
    output: answer(request, {
      missing,
      files: [],
      deviations,
      tests: { ran: true, ok: true, output: '# pass' },
      ...found,
    }),
  })
  switch (request.stage) {
    case 'spec':
    case 'test_spec':
    case 'security_spec':
      return [call('Read', { file_path: `${at.cwd}/package.json` }), finish({})]
    case 'implement':
    case 'frontend':
      return implement(request, at.cwd, finish)
    case 'verify':
    case 'audit':
      return [call('Bash', { command: 'git log --oneline -5', description: 'look' }), finish({})]
    default:
      return request.stage satisfies never
  }
}

function implement(
  request: DemoRequest,
  cwd: string,
  finish: (found: Partial<Findings>) => Step,
): Step[] {
  // from the whole sample, not from what is missing now: the plan must not change while it is followed
  const named = namedIn(request)
  const functions = named.length > 0 ? named : SAMPLE_FUNCTIONS.slice(0, 1)
  const page = { file: 'web/index.html', solution: '<!doctype html><title>textkit</title>\n' }
  const writes = request.stage === 'frontend' ? [page] : functions
  const slow = /\bslowly\b/.test(request.goal) ? [slowTool()] : []
  return [
    ...writes.flatMap(({ file, solution }) => {
      const path = `${cwd}/${file}`
      // an agent may only replace a file that it has read
      const first = request.stage === 'frontend' ? [] : [call('Read', { file_path: path })]
      return [...first, call('Write', { file_path: path, content: solution })]
    }),
    ...slow,
    call('Bash', { command: 'npm test --silent 2>&1 | tail -5', description: 'test' }),
    finish({ files: writes.map(({ file }) => file) }),
  ]
}

/** A goal that is to be done slowly gives a test time to meet the agent with a tool at work. */
const slowTool = (): Step =>
  call('Bash', {
    command: `node -e "setTimeout(() => console.log('rested'), 5000)"`,
    description: 'rest',
  })

const call = (tool: string, input: Record<string, unknown>): Step => ({
  do: 'call',
  tool,
  input,
  text: `I use ${tool}. `,
})
