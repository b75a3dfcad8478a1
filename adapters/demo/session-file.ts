import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A session of the demo agent, kept like a real agent keeps its transcripts. */
export interface DemoSession {
  id: string
  /** How many times this session was started or resumed. */
  starts: number
  /** Starts per stage and attempt, for behaviours that happen once. */
  startsOf: Record<string, number>
  /** Seconds already streamed per stage and attempt: a resumed slow stage goes on where it was. */
  streamed: Record<string, number>
  /** The last prompt that named a stage; a resume without one continues it. */
  prompt: string
  corrections: string[]
}

const SESSION_ID = /^[A-Za-z0-9-]{8,64}$/

/** `invalid`: not an id this agent makes; `unknown`: there is no such session. */
export function loadSession(home: string, id: string): DemoSession | 'invalid' | 'unknown' {
  if (!SESSION_ID.test(id)) return 'invalid'
  try {
    return JSON.parse(readFileSync(fileOf(home, id), 'utf8')) as DemoSession
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'unknown'
    throw error
  }
}

export function newSession(id: string): DemoSession | 'invalid' {
  if (!SESSION_ID.test(id)) return 'invalid'
  return { id, starts: 0, startsOf: {}, streamed: {}, prompt: '', corrections: [] }
}

/** Written beside and renamed, so that a kill leaves the old one or the new one. */
export function saveSession(home: string, session: DemoSession): void {
  const file = fileOf(home, session.id)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const temporary = `${file}.${process.pid}`
  writeFileSync(temporary, JSON.stringify(session), { mode: 0o600 })
  renameSync(temporary, file)
}

const fileOf = (home: string, id: string) => join(home, 'sessions', `${id}.json`)
