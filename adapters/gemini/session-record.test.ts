import { describe, expect, test } from 'vitest'
import { mend } from './session-record.ts'

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
})
