import { expect, test } from 'vitest'
import type { AgentEvent } from '../contracts/agent.ts'
import { createTranslator as claudeTranslator } from './claude/translator.ts'
import type { ClaudeMessage } from './claude/wire.ts'
import { createTranslator as geminiTranslator } from './gemini/translator.ts'
import { createLoopWatch } from './loop-watch.ts'

let calls = 0
/** A use of a tool. */
function use(input: string, output = 'nothing new'): AgentEvent[] {
  calls += 1
  const callId = `call-${calls}`
  return [
    { type: 'tool', callId, name: 'shell', input },
    { type: 'tool_result', callId, ok: true, output },
  ]
}
const times = (count: number, make: (at: number) => AgentEvent[]) =>
  Array.from({ length: count }, (_, at) => make(at)).flat()
/** What the watch says at each event, without its silence. */
function said(events: AgentEvent[], now?: () => number): string[] {
  const watch = createLoopWatch(now)
  return events.map((event) => watch.sees(event)).filter((each) => each !== undefined)
}

test('the same call with the same result, ten times in a row, is a loop', () => {
  expect(said(times(9, () => use('git status')))).toEqual([])
  expect(said(times(10, () => use('git status')))).toEqual([
    'shell was called 10 times in a row with the same input and the same result: git status',
  ])
})

test('words in between change nothing', () => {
  const talking = times(10, () => [{ type: 'text', text: 'Once more. ' }, ...use('git status')])
  expect(said(talking)).toHaveLength(1)
})

test('calls at the same time are told apart', () => {
  const both = times(10, () => {
    const [a, b] = [use('ls'), use('ls')]
    return [...a.slice(0, 1), ...b, ...a.slice(1)]
  })
  expect(said(both.slice(0, 18))).toEqual([])
  expect(said(both.slice(0, 20))).toHaveLength(1)
})

const PROGRESS: [string, AgentEvent[]][] = [
  ['another call', use('ls')],
  ['another result', use('git status', 'one file changed')],
  ['a changed file', [{ type: 'file', path: 'a.ts', change: 'edit' }]],
  ['a correction', [{ type: 'correction', id: 'c-1', state: 'applied' }]],
]
test.each(PROGRESS)('%s is progress', (_, between) => {
  const nine = () => times(9, () => use('git status'))
  expect(said([...nine(), ...between, ...nine()])).toEqual([])
})

test('who waits for something with every call is no loop', () => {
  let now = 0
  const waiting = () => {
    now += 5000
    return now
  }
  expect(
    said(
      times(100, () => use('sleep 5 && ./is-it-up')),
      waiting,
    ),
  ).toEqual([])
})

test('who sleeps a while between looks is no loop; who sleeps no time is', () => {
  let now = 0
  const slept = (ms: number) => () => {
    now += ms
    return now
  }
  const looks = times(10, () => use('sleep 4; curl -sf localhost:3000 || echo no', 'no'))
  expect(said(looks, slept(4200))).toEqual([])
  expect(said(looks, slept(20))).toHaveLength(1)
})

test('different edits of one file that all fail are no loop, the same edit is', () => {
  const edit = (at: number, old_string: string): AgentEvent[] => [
    ...gemini.read({
      ...{ type: 'tool_use', tool_name: 'replace', tool_id: `e-${at}` },
      parameters: { file_path: '/p/a.ts', old_string, new_string: 'x' },
    }).events,
    ...gemini.read({
      ...{ type: 'tool_result', tool_id: `e-${at}`, status: 'error' },
      error: { message: 'Failed to edit, 0 occurrences found' },
    }).events,
  ]
  expect(said(times(10, (at) => edit(at, `const a =\n  ${at}`)))).toEqual([])
  expect(said(times(10, (at) => edit(at, 'const a =\n  1')))).toEqual([
    expect.stringMatching(/the same result: a\.ts: const a = 1$/),
  ])
})

/** A search that finds nothing, as the agents tell of it. */
const SEARCHES: Readonly<Record<string, (at: number, place: string) => AgentEvent[]>> = {
  claude: (at, path) =>
    [
      { type: 'tool_use', id: `s-${at}`, name: 'Grep', input: { pattern: 'todo', path } },
      { type: 'tool_result', tool_use_id: `s-${at}`, content: 'No matches found' },
    ].flatMap((block) => {
      const message = { id: `m-${at}`, content: [block] }
      const type = block.type === 'tool_use' ? 'assistant' : 'user'
      return claude.read({ type, parent_tool_use_id: null, message } as unknown as ClaudeMessage)
    }),
  gemini: (at, dir_path) => [
    ...gemini.read({
      ...{ type: 'tool_use', tool_name: 'grep_search', tool_id: `s-${at}` },
      parameters: { pattern: 'todo', dir_path },
    }).events,
    ...gemini.read({ type: 'tool_result', tool_id: `s-${at}`, status: 'success' }).events,
  ],
}
const claude = claudeTranslator({ cwd: '/p', structured: false, onLifecycle: () => undefined })
const gemini = geminiTranslator('/p')

test.each(Object.keys(SEARCHES))('%s looks for the same in many places: no loop', (agent) => {
  const search = SEARCHES[agent] ?? (() => [])
  expect(said(times(10, (at) => search(at, `src/part-${at}`)))).toEqual([])
  expect(said(times(10, (at) => search(at, 'src')))).toEqual([
    expect.stringMatching(/the same result: todo in src$/),
  ])
})
