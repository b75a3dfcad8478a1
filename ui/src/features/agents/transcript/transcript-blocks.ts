import type { CorrectionState } from '../../../../../contracts/agent.ts'
import type { TranscriptEntry } from '../../../../../contracts/schemas.ts'

/** One thing that an agent did, however many entries tell of it: words that follow each other, a tool call with its result. */
export type Block = {
  /** seq of its first entry: its identity. */
  key: number
  at: string
  until: string
} & Content

type Content =
  | { type: 'said'; text: string; fenced: boolean }
  | { type: 'thought'; text: string; fenced: boolean }
  | {
      type: 'tool'
      callId: string
      /** Undefined as long as only its result is known. */
      name: string | undefined
      input: string
      ok: boolean | undefined
      output: string
    }
  | { type: 'file'; path: string; change: string }
  | { type: 'correction'; id: string; state: CorrectionState }
  | { type: 'note'; tone: 'quiet' | 'warn' | 'danger' | 'ok'; text: string }

export interface Blocks {
  readonly list: readonly Block[]
  /** How many were added at the end; what was put before does not count. */
  readonly appended: number
  /** Entries that follow the last. Answers whether anything is to be shown anew. */
  append(entries: readonly TranscriptEntry[]): boolean
  /** The entries right before the first. */
  prepend(entries: readonly TranscriptEntry[]): void
}

/** Words are cut into blocks at a line's end once they are this long, so that none is too large to be drawn. */
const LONG = 1_500
const FENCE = /^\s*```/gm

/** Folds a transcript into blocks, entry by entry, at either end. A block that changes is a new object in the same place. */
export function createBlocks(): Blocks {
  let list: Block[] = []
  let head = 0
  /** Place of what may still change, from the place of the first block that was ever added. */
  const tools = new Map<string, number>()
  const corrections = new Map<string, number>()
  const change = (place: number, next: Block) => {
    list[place + head] = next
  }

  function add(block: Block): number {
    list.push(block)
    return list.length - 1 - head
  }

  function append(entries: readonly TranscriptEntry[]): boolean {
    let changed = false
    for (const entry of entries) changed = appendOne(entry) || changed
    return changed
  }

  /** What of a piece does not end a word that a correction came into: the word is finished where it began. */
  function finishWord(entry: TranscriptEntry): TranscriptEntry {
    if (list.at(-1)?.type !== 'correction') return entry
    const at = list.findLastIndex(({ type }) => type !== 'correction')
    const before = list[at]
    if (!before || !isWords(before) || WORDS[entry.kind] !== before.type) return entry
    const piece = text(entry.content['text'])
    const end = /\S$/.test(before.text) ? (/^\S+/.exec(piece)?.[0] ?? '') : ''
    if (end === '') return entry
    change(at - head, { ...before, text: before.text + end })
    return { ...entry, content: { ...entry.content, text: piece.slice(end.length) } }
  }

  function appendOne(given: TranscriptEntry): boolean {
    const entry = finishWord(given)
    const place = placeOf(entry)
    const before = place === undefined ? list.at(-1) : list[place + head]
    if (before) {
      const joined = join(before, entry)
      if (joined) {
        const [next, ...more] = joined
        change(place ?? list.length - 1 - head, next)
        for (const block of more) add(block)
        return true
      }
    }
    const block = toBlock(entry)
    if (!block) return entry !== given
    const added = add(block)
    if (block.type === 'tool') tools.set(block.callId, added)
    if (block.type === 'correction') corrections.set(block.id, added)
    return true
  }

  function placeOf({ kind, content }: TranscriptEntry): number | undefined {
    if (kind === 'tool_result') return tools.get(text(content['callId']))
    return kind === 'correction' ? corrections.get(text(content['id'])) : undefined
  }

  /** The result of a call that is only put before it now: it moves there. */
  function takeOut(callId: string): Block | undefined {
    const place = tools.get(callId)
    if (place === undefined) return undefined
    const [result] = list.splice(place + head, 1)
    for (const places of [tools, corrections])
      for (const [id, at] of places) if (at > place) places.set(id, at - 1)
    return result
  }

  function prepend(entries: readonly TranscriptEntry[]): void {
    const page = createBlocks()
    page.append(entries)
    const kept = page.list.map((block) => {
      if (block.type !== 'tool') return block
      const result = takeOut(block.callId)
      return result ? { ...result, ...pick(block) } : block
    })
    const last = kept.at(-1)
    const first = list[0]
    if (last && first && isWords(last) && first.type === last.type && isWords(first)) {
      if (!last.text.endsWith('\n')) {
        kept.pop()
        list[0] = { ...first, key: last.key, at: last.at, text: last.text + first.text }
      }
    }
    list = kept.concat(list)
    head += kept.length
    for (const [index, block] of kept.entries())
      if (block.type === 'tool') tools.set(block.callId, index - head)
  }

  return {
    get list() {
      return list
    },
    get appended() {
      return list.length - head
    },
    append,
    prepend,
  }
}

/** What only the call itself knows. */
const pick = ({ key, at, name, input }: Block & { type: 'tool' }) => ({ key, at, name, input })

const isWords = (block: Block): block is Block & { type: 'said' | 'thought' } =>
  block.type === 'said' || block.type === 'thought'

/** The block with the entry in it, and what of it begins another; undefined when they do not belong together. */
function join(block: Block, entry: TranscriptEntry): [Block, ...Block[]] | undefined {
  const { content, at } = entry
  if (isWords(block)) {
    const type = WORDS[entry.kind]
    if (type !== block.type) return undefined
    const all = block.text + text(content['text'])
    const cut = whereToCut(block.text, all)
    if (cut === undefined) return [{ ...block, text: all, until: at }]
    const [first, rest] = [all.slice(0, cut + 1), all.slice(cut + 1)]
    const fenced = block.fenced !== ((first.match(FENCE)?.length ?? 0) % 2 === 1)
    return [
      { ...block, text: first, until: at },
      { key: entry.seq, at, until: at, type, text: rest, fenced },
    ]
  }
  if (block.type === 'tool' && entry.kind === 'tool_result')
    return [{ ...block, ok: content['ok'] !== false, output: text(content['output']), until: at }]
  if (block.type === 'correction' && entry.kind === 'correction' && block.id === content['id'])
    return [{ ...block, state: content['state'] as CorrectionState, until: at }]
  return undefined
}

/** Where the words that are there already are long enough: at the end of a line, or of a word where no line ends. */
function whereToCut(before: string, all: string): number | undefined {
  if (before.length < LONG) return undefined
  const line = all.lastIndexOf('\n')
  if (line >= LONG / 2) return line
  const word = before.length < 2 * LONG ? -1 : all.lastIndexOf(' ')
  return word >= LONG / 2 ? word : undefined
}

const WORDS: Readonly<Record<string, 'said' | 'thought'>> = { text: 'said', reasoning: 'thought' }

function toBlock({ seq, at, kind, content }: TranscriptEntry): Block | undefined {
  const of = (more: Content): Block => ({ key: seq, at, until: at, ...more })
  const callId = text(content['callId'])
  switch (kind) {
    case 'text':
    case 'reasoning': {
      const words = text(content['text'])
      return words === ''
        ? undefined
        : of({ type: WORDS[kind] ?? 'said', text: words, fenced: false })
    }
    case 'tool': {
      const name = text(content['name'])
      const input = text(content['input'])
      return of({ type: 'tool', callId, name, input, ok: undefined, output: '' })
    }
    case 'tool_result': {
      const ok = content['ok'] !== false
      const output = text(content['output'])
      return of({ type: 'tool', callId, name: undefined, input: '', ok, output })
    }
    case 'file':
      return of({ type: 'file', path: text(content['path']), change: text(content['change']) })
    case 'correction': {
      const state = content['state'] as CorrectionState
      return of({ type: 'correction', id: text(content['id']), state })
    }
    case 'usage':
      return undefined
    default:
      return of(noteOf(kind, content))
  }
}

function noteOf(kind: string, content: TranscriptEntry['content']): Content {
  const note = (tone: 'quiet' | 'warn' | 'danger' | 'ok', said: string): Content => ({
    ...{ type: 'note', tone, text: said },
  })
  switch (kind) {
    case 'session':
      return note('quiet', ['Session', text(content['model'])].filter(Boolean).join(' with '))
    case 'retry':
      return note('warn', `Trying again: ${text(content['detail']) || text(content['reason'])}`)
    case 'compaction':
      return note('quiet', 'The agent shortened its memory of the conversation.')
    case 'done':
      return note('ok', 'Finished')
    case 'failed':
      return note('danger', text(content['detail']) || text(content['reason']))
    case 'notice':
      return note(content['level'] === 'warn' ? 'warn' : 'quiet', text(content['text']))
    default:
      return note('quiet', `${kind} ${JSON.stringify(content)}`)
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** A block as plain text, for copying and for finding in it. */
export function plainText(block: Block): string {
  switch (block.type) {
    case 'said':
    case 'thought':
    case 'note':
      return block.text
    case 'tool':
      return [`${block.name ?? 'tool'} ${block.input}`.trim(), block.output]
        .filter(Boolean)
        .join('\n')
    case 'file':
      return `${block.change} ${block.path}`
    case 'correction':
      return `correction ${block.state}`
    default:
      return block satisfies never
  }
}
