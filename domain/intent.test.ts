import { describe, expect, it } from 'vitest'
import { readIntent } from './intent.ts'

describe('what a text asks for', () => {
  it.each([
    ['Compare Redis Streams and NATS for our job queue', 'research', 'compar'],
    ['Refactor the session middleware', 'code', 'refactor'],
    ['Make the pricing cards responsive', 'design', 'responsive'],
    ['Check the login flow for vulnerabilities', 'audit', 'vulnerabilities'],
  ])('%s is %s', (text, intent, word) => {
    const reading = readIntent(text)
    expect(reading.intent).toBe(intent)
    expect(reading.because.join(' ')).toContain(word)
  })

  it('takes what says nothing for code, and says that nothing gave it away', () => {
    expect(readIntent('xyzzy')).toEqual({ intent: 'code', because: [] })
    expect(readIntent('')).toEqual({ intent: 'code', because: [] })
  })

  it('prefers the careful reading of a tie', () => {
    expect(readIntent('security, prototype').intent).toBe('audit')
  })

  it('reads the beginning only: people say first what they want, and a pasted log says everything', () => {
    const text = `Rename the column. ${'x '.repeat(1000)}`
    expect(readIntent(`${text} security audit, vulnerabilities`).intent).toBe('code')
  })
})
