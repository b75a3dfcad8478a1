import { answerStage } from './stage-brain.ts'
import type { Step } from './step.ts'

const node = (script: string) => `node -e "${script}"`
const wait = (label: string, ms: number) => node(`setTimeout(() => console.log('${label}'), ${ms})`)
const bash = (command: string, text = ''): Step => ({
  do: 'call',
  tool: 'Bash',
  input: { command, description: 'as scripted' },
  ...(text ? { text } : {}),
})
const ANSWER: Step = { do: 'answer', output: { answer: 42 }, text: 'The answer is 42. ' }
const write = (path: string, content: string): Step => ({
  do: 'call',
  tool: 'Write',
  text: 'Writing the file. ',
  input: { file_path: path, content },
})

/** Every sentence is another one: what repeats itself is a loop to some agents. */
export const SLOW_TEXT = Array.from(
  { length: 40 },
  (_, at) => `Number ${at} times itself is ${at * at}. `,
).join('')

/** Scripts by name, the part of the base URL after `/s/`. Each main request takes the next step; the last one repeats. */
export const SCENARIOS: Readonly<Record<string, readonly Step[]>> = {
  /** Every stage of a goal on the sample repository, decided by what the prompt asks. */
  pipeline: [{ do: 'decide', by: answerStage }],
  answer: [ANSWER],
  'write-file': [write('hello.txt', 'hello\n'), ANSWER],
  'run-command': [bash('echo hello from the shell'), ANSWER],
  'read-only': [
    write('forbidden.txt', 'x'),
    bash('echo x > forbidden-by-shell.txt'),
    bash('git log --oneline -1'),
    ANSWER,
  ],
  slow: [{ do: 'say', text: SLOW_TEXT, pieces: 40, everyMs: 150 }, ANSWER],
  'slow-tool': [bash(wait('waited', 4000)), ANSWER],
  'three-tools': [
    bash(wait('one', 700), 'First. '),
    bash(wait('two', 700), 'Second. '),
    bash(wait('three', 700), 'Third. '),
    ANSWER,
  ],
  loop: [bash('echo the same again')],
  'leave-child': [
    bash(`setsid ${node('setTimeout(() => {}, 600000)')} > /dev/null 2>&1 < /dev/null & echo left`),
    ANSWER,
  ],
  environment: [
    bash('env'),
    {
      do: 'decide',
      by: ({ said }) => ({ do: 'answer', output: {}, text: said.at(-1)?.text ?? '' }),
    },
  ],
  401: [fail(401, 'authentication_error', 'invalid x-api-key')],
  403: [fail(403, 'permission_error', 'this key may not use this model')],
  404: [fail(404, 'not_found_error', 'model: no-such-model')],
  400: [fail(400, 'invalid_request_error', 'messages: at least one message is required')],
  429: [
    { ...fail(429, 'rate_limit_error', 'too many requests', { 'retry-after': '1' }), times: 1 },
    ANSWER,
  ],
  '429-always': [fail(429, 'rate_limit_error', 'too many requests', { 'retry-after': '1' })],
  '429-long': [fail(429, 'rate_limit_error', 'too many requests', { 'retry-after': '3600' })],
  500: [fail(500, 'api_error', 'internal server error')],
  '500-once': [{ ...fail(500, 'api_error', 'internal server error'), times: 1 }, ANSWER],
  503: [fail(503, 'api_error', 'service unavailable')],
  529: [fail(529, 'overloaded_error', 'Overloaded')],
  'too-long': [
    fail(400, 'invalid_request_error', 'prompt is too long: 1200000 tokens > 1000000 maximum'),
  ],
  'no-credit': [
    fail(400, 'invalid_request_error', 'Your credit balance is too low to access the API.'),
  ],
  hang: [{ do: 'hang' }],
  stall: [{ do: 'stall' }],
  drop: [{ do: 'drop' }],
  garbage: [{ do: 'garbage' }],
  compaction: [
    { ...bash('echo one'), usage: { input: 190_000, cacheRead: 0, cacheWrite: 0 } },
    { ...bash('echo two'), usage: { input: 195_000, cacheRead: 0, cacheWrite: 0 } },
    ANSWER,
  ],
}

function fail(status: number, type: string, message: string, headers?: Record<string, string>) {
  return { do: 'fail' as const, status, type, message, ...(headers ? { headers } : {}) }
}
