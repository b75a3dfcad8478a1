import { expect, test } from 'vitest'
import type { AgentEvent } from '../contracts/agent.ts'
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
