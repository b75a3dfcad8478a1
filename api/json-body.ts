import { MOST_CHECKED } from '../contracts/schemas.ts'
import { Problem } from './problem.ts'

const DEEPEST = 20
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * The value of a JSON body. Throws a Problem: 400 when it is not UTF-8 or not JSON; 422 when it has a key twice, a key
 * that could reach into prototypes, text that Postgres cannot store, or is nested deeper or longer than anything real.
 */
export function parseJsonBody(bytes: Buffer): unknown {
  const text = decode(bytes)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Problem(400, 'not_json', 'The body is not valid JSON.')
  }
  checkShape(text) // only now: its strings end
  checkTexts(value, '')
  return value
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Problem(400, 'not_utf8', 'The body is not valid UTF-8.')
  }
}

const STRUCTURE = new Set(['{', '}', '[', ']', ',', ':'])

/** The strings, brackets, commas and colons of JSON: enough to see keys and depth. By hand, because a pattern's stack ends at millions of escapes. */
function* tokensOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at)
    if (sign === '"') {
      const start = at
      do at = text.indexOf('"', at + 1)
      while (isEscaped(text, at))
      yield text.slice(start, at + 1)
    } else if (STRUCTURE.has(sign)) yield sign
  }
}

function isEscaped(text: string, at: number): boolean {
  let before = at
  while (text.charAt(before - 1) === '\\') before -= 1
  return (at - before) % 2 === 1
}

/** What JSON.parse would hide: keys that come twice, and depth that would exhaust whoever walks the value. */
function checkShape(text: string): void {
  const open: { keys: Set<string> | undefined }[] = []
  let string: string | undefined
  for (const token of tokensOf(text)) {
    if (token === '{' || token === '[') {
      open.push({ keys: token === '{' ? new Set() : undefined })
      if (open.length > DEEPEST)
        throw wrong('', `is nested deeper than ${DEEPEST} levels`, 'too_deep')
    } else if (token === '}' || token === ']') open.pop()
    else if (token === ':' && string !== undefined) noteKey(open.at(-1)?.keys, string)
    string = token.startsWith('"') ? token : undefined
  }
}

function noteKey(keys: Set<string> | undefined, token: string): void {
  const key: string = JSON.parse(token)
  if (keys?.has(key)) throw wrong(`/${key}`, 'comes twice', 'duplicate_key')
  if (FORBIDDEN_KEYS.has(key)) throw wrong(`/${key}`, 'is not known', 'unknown_key')
  keys?.add(key)
}

function checkTexts(value: unknown, pointer: string): void {
  if (typeof value === 'string') {
    if (value.includes('\u0000')) throw wrong(pointer, 'must not contain NUL characters', 'nul')
    if (/\p{Surrogate}/u.test(value)) throw wrong(pointer, 'has half a character', 'half_character')
  } else if (Array.isArray(value)) {
    // no other array that anybody needs to send is longer
    if (value.length > MOST_CHECKED)
      throw wrong(pointer, `has more than ${MOST_CHECKED} items`, 'too_many')
    for (const [i, item] of value.entries()) checkTexts(item, `${pointer}/${i}`)
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      checkTexts(key, pointer)
      checkTexts(item, `${pointer}/${key}`)
    }
  }
}

const wrong = (pointer: string, detail: string, code: string) =>
  new Problem(422, code, `The body ${pointer} ${detail}.`.replace('  ', ' '), {
    errors: [{ pointer, detail }],
  })
