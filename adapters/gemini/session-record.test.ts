import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { createSessionRecord, mend } from './session-record.ts'

const call = (id: string) => ({
  id: `m-${id}`,
  type: 'gemini',
  content: '',
  toolCalls: [{ id, name: 'write_file', result: [{}] }],
})
const echo = (id: string) => ({
  id: `e-${id}`,
  type: 'user',
  content: [{ functionResponse: { id, response: {} } }],
})
const user = { id: 'u', type: 'user', content: [{ text: 'Do it.' }] }
const file = (...records: object[]) =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('')

describe("a session's file before it is continued", () => {
  test('a result that stands beside its call is not told again', () => {
    expect(mend(file(user, call('a'), echo('a')))).toBe(file(user, call('a')))
  })

  test('a result that stands nowhere else is kept', () => {
    const text = file(user, call('a'), { $set: { messages: [user] } }, echo('a'))
    expect(mend(text)).toBe(text)
  })

  test('the same in a list that replaces all before it', () => {
    const of = (...messages: object[]) => file({ $set: { messages } })
    expect(mend(of(user, call('a'), echo('a')))).toBe(of(user, call('a')))
  })

  test('a call without a result is taken out', () => {
    const killed = { ...call('a'), toolCalls: [{ id: 'a', name: 'write_file' }] }
    expect(mend(file(killed))).toBe(file({ ...killed, toolCalls: [] }))
  })

  test('whatever is no message stays as it is', () => {
    expect(mend('half a li\n{"$set":{"lastUpdated":"x"}}\n')).toBe(
      'half a li\n{"$set":{"lastUpdated":"x"}}\n',
    )
  })

  test('what another version may write stays as it is', () => {
    const text = file({ ...call('a'), toolCalls: null }, { $set: { messages: { all: [] } } })
    expect(mend(`${text}null\n`)).toBe(`${text}null\n`)
  })
})

test('lines of another version end no run: the tokens of the others are told', ({
  onTestFinished,
}) => {
  const folder = temporaryFolder('dispatch-session-')
  onTestFinished(folder.remove)
  const [id, chats] = ['0a1b2c3d-0000-4000-8000-000000000000', join(folder.path, 'work/chats')]
  mkdirSync(chats, { recursive: true })
  const record = createSessionRecord(folder.path, id)
  const answer = {
    id: 'm-1',
    type: 'gemini',
    content: '',
    tokens: { input: 9, output: 2, cached: 4 },
  }
  const odd = [{ $set: { messages: { all: [] } } }, { $set: { messages: [null] } }]
  writeFileSync(join(chats, 'session-2026-11-30T10-00-0a1b2c3d.jsonl'), file(...odd, answer))
  const usage = { input: 5, output: 2, cacheRead: 4, cacheWrite: 0, reasoning: 0 }
  expect(record.read()).toEqual({ summaries: [], usage })
})
