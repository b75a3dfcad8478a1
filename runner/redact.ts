/**
 * Takes secrets out of text before it is stored or shown anywhere. Pure. Two kinds are found: values that we know (variables of the
 * agent's environment that say that they are secret, also in base64, URL and JSON form) and shapes of common keys.
 */
export interface Redactor {
  /** A text that is complete in itself. */
  text(text: string): string
  /** Every string inside a JSON value. */
  value(value: unknown): unknown
  /** For text that comes in pieces: holds back an end that may be the beginning of a secret. */
  stream(): RedactingStream
}

export interface RedactingStream {
  push(piece: string): string
  /** What is still held back, redacted as it stands. */
  flush(): string
}

const SECRET_NAME =
  /(?:_|^)(?:API_?KEY|KEY|TOKEN|PAT)$|SECRET|PASSWORD|PASSWD|CREDENTIAL|BEARER|HEADERS/i
/** An address with a password in it, such as a proxy's. */
const SECRET_VALUE = /:\/\/[^\s/@]*:[^\s/@]+@/
const MIN_SECRET_CHARS = 6
/** Forms that are derived from shorter values would hit ordinary text. */
const MIN_DERIVED_CHARS = 8
/** A held back end grows no longer than this; a longer "key" is no key. */
const MAX_HELD_CHARS = 8 * 1024

/** Prefixes after which a run of key characters is taken for a key, with the least length of that run. */
const KEY_PREFIXES: readonly (readonly [prefix: string, least: number])[] = [
  ['sk-', 20],
  ['sk_live_', 16],
  ['rk_live_', 16],
  ['ghp_', 30],
  ['gho_', 30],
  ['ghu_', 30],
  ['ghs_', 30],
  ['ghr_', 30],
  ['github_pat_', 30],
  ['glpat-', 18],
  ['xoxb-', 10],
  ['xoxp-', 10],
  ['xoxa-', 10],
  ['xoxs-', 10],
  ['xapp-', 10],
  ['AKIA', 16],
  ['ASIA', 16],
  ['AIza', 30],
  ['ya29.', 20],
  ['npm_', 30],
  ['pypi-', 30],
  ['hf_', 20],
  ['dsp_', 20],
  ['eyJ', 40],
]
const PEM_BEGIN = '-----BEGIN '
const PEM = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g
const KEY_CHARS = 'A-Za-z0-9_.+/=~-'
const KEY_SHAPE = new RegExp(
  `(?<![A-Za-z0-9])(?:${KEY_PREFIXES.map(([p, least]) => `${literal(p)}[${KEY_CHARS}]{${least},}`).join('|')})`,
  'g',
)
/** What a name that says "secret" contains, and what may follow in it: `AWS_SECRET_ACCESS_KEY`, `clientSecret2`. */
const SECRET_WORDS = [
  ...['password', 'passwd', 'secret', 'token', 'credential'],
  ...['api', 'access', 'private', 'signing', 'encryption'].flatMap((kind) =>
    ['key', '_key', '-key'].map((key) => kind + key),
  ),
]
const SECRET_WORD = `(?:${SECRET_WORDS.join('|')})`
const REST_OF_NAME = '[A-Za-z0-9_-]{0,40}'
/** `password: "…"`: the name is kept. Whether the value is a secret is told by its randomness. */
const NAMED_VALUE = new RegExp(
  `(${SECRET_WORD}${REST_OF_NAME}["']?\\s*[:=]\\s*["']?)([A-Za-z0-9_+/=-]{16,})`,
  'gi',
)
/** `https://user:…@host`, `Authorization: Bearer …`: the value goes, the name stays. */
const NAMED = [
  /(:\/\/[^\s:/@]{1,100}:)[^\s/@]{3,200}(?=@)/g,
  /(\bBearer\s+)[A-Za-z0-9_.+/=~-]{16,}/g,
]
/** Ends that may go on to become one of the shapes above. */
const OPEN_ENDS = [
  new RegExp(
    `(?<![A-Za-z0-9])(?:${KEY_PREFIXES.map(([p]) => literal(p)).join('|')})[${KEY_CHARS}]*$`,
  ),
  /-----BEGIN [A-Z ]*(?:-{0,5}|PRIVATE KEY-----(?:(?!-----END [A-Z ]*-----)[\s\S])*)$/,
  new RegExp(`${SECRET_WORD}${REST_OF_NAME}["']?\\s*(?:[:=]\\s*["']?[A-Za-z0-9_+/=-]*)?$`, 'i'),
  /:\/\/[^\s:/@]{0,100}(?::[^\s/@]{0,200})?$/,
  /\bBearer(?:\s+[A-Za-z0-9_.+/=~-]*)?$/,
]
/** Words whose beginning at the very end of a piece is held back too. */
const OPENERS: readonly Opener[] = [
  ...[...KEY_PREFIXES.map(([p]) => p), 'Bearer '].map((word) => ({ word, startsWord: true })),
  ...[PEM_BEGIN, '://'].map((word) => ({ word, startsWord: false })),
  ...SECRET_WORDS.map((word) => ({ word, startsWord: false, anyCase: true })),
]
interface Opener {
  word: string
  /** Means something only where a word begins: the "s" of "tests" is not held back for "sk-". */
  startsWord: boolean
  anyCase?: boolean
}

/** Those variables whose names, or the values themselves, say that these are secret. */
export function secretVariables(env: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(env).filter(
    ([name, value]) =>
      (SECRET_NAME.test(name) || SECRET_VALUE.test(value)) && value.length >= MIN_SECRET_CHARS,
  )
}

/** `env`: the environment of the agent whose output is read. */
export function createRedactor(env: Readonly<Record<string, string>>): Redactor {
  const known = secretVariables(env)
    .flatMap(([name, value]) => formsOf(value).map((form) => ({ name, form })))
    .sort((a, b) => b.form.length - a.form.length)

  const text = (input: string) => {
    let output = input
    for (const { name, form } of known)
      if (output.includes(form)) output = output.replaceAll(form, `[redacted:${name}]`)
    output = output.replace(PEM, '[redacted:private-key]').replace(KEY_SHAPE, '[redacted:key]')
    output = output.replace(NAMED_VALUE, (whole, name: string, found: string) =>
      isRandom(found) ? `${name}[redacted]` : whole,
    )
    for (const shape of NAMED) output = output.replace(shape, '$1[redacted]')
    return output
  }
  const value = (input: unknown): unknown => {
    if (typeof input === 'string') return text(input)
    if (Array.isArray(input)) return input.map(value)
    if (typeof input !== 'object' || input === null) return input
    return Object.fromEntries(
      Object.entries(input).map(([key, inner]) => [text(key), value(inner)]),
    )
  }
  const forms = known.map(({ form }) => form)
  return { text, value, stream: () => createStream(text, forms) }
}

function createStream(redact: (text: string) => string, known: readonly string[]): RedactingStream {
  const openers = [...known.map((word) => ({ word, startsWord: false })), ...OPENERS]
  let held = ''
  return {
    push(piece: string) {
      const all = held + piece
      const cut = beforeKnown(all, openEnd(all, openers), known)
      held = all.slice(cut)
      return redact(all.slice(0, cut))
    },
    flush() {
      const rest = held
      held = ''
      return redact(rest)
    },
  }
}

/** Where the part begins that must wait for more text; the text's length when nothing must. */
function openEnd(text: string, openers: readonly Opener[]): number {
  const from = Math.max(0, text.length - MAX_HELD_CHARS)
  const tail = text.slice(from)
  let cut = tail.length
  for (const pattern of OPEN_ENDS) {
    const at = tail.search(pattern)
    if (at !== -1 && at < cut) cut = at
  }
  for (const opener of openers) cut = Math.min(cut, tail.length - overlap(tail, opener))
  return from + cut
}

/** Moves a cut that would go through a whole secret to the secret's beginning ("abcabc" ends with a beginning of itself). */
function beforeKnown(text: string, cut: number, known: readonly string[]): number {
  let moved = cut
  for (const { index, 0: block } of text.matchAll(PEM))
    if (index < moved && index + block.length > moved) moved = index
  for (let again = true; again; ) {
    again = false
    for (const form of known) {
      const at = text.lastIndexOf(form, moved - 1)
      if (at === -1 || at >= moved || at + form.length <= moved) continue
      moved = at
      again = true
    }
  }
  return moved
}

/** How many characters at the end of `text` are a beginning of the opener's word, the whole word left out. */
function overlap(text: string, { word, startsWord, anyCase }: Opener): number {
  const ends = anyCase ? text.slice(-word.length).toLowerCase() : text
  for (let length = Math.min(word.length - 1, text.length); length > 0; length -= 1) {
    if (!ends.endsWith(word.slice(0, length))) continue
    if (!startsWord || !/[A-Za-z0-9]/.test(text.charAt(text.length - length - 1))) return length
  }
  return 0
}

/** Bits per character (Shannon) above which letters alone are no words; camel case of the same length stays below 4.1. */
const RANDOM_BITS = 4.2

/** A key holds digits among its letters; one of letters alone is told by their spread. */
function isRandom(value: string): boolean {
  return (/[0-9]/.test(value) && /[A-Za-z]/.test(value)) || bitsPerCharacter(value) >= RANDOM_BITS
}

function bitsPerCharacter(text: string): number {
  const counts = new Map<string, number>()
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1)
  return [...counts.values()].reduce(
    (bits, count) => bits - (count / text.length) * Math.log2(count / text.length),
    0,
  )
}

function formsOf(value: string): string[] {
  if (value.length < MIN_DERIVED_CHARS) return [value]
  const json = JSON.stringify(value).slice(1, -1)
  return [...new Set([value, json, encodeURIComponent(value), ...base64Forms(value)])]
}

/** What base64 makes of the value inside a longer text: one form per position of its first byte, without the shared edges. */
function base64Forms(value: string): string[] {
  return [0, 1, 2].map((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)])
    const whole = bytes.subarray(0, bytes.length - (bytes.length % 3)).toString('base64')
    return whole.slice(offset === 0 ? 0 : 4)
  })
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
