import { type Refusal, refuse } from './refusal.ts'

export interface PageQuery {
  limit: number
  cursor?: string | undefined
}
export interface Page<T> {
  items: T[]
  /** Opaque; null on the last page. */
  next: string | null
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The sort key of a page's last row: a rank (0 where the list has none) and the id. */
export interface Position {
  rank: number
  id: string
}

export function encodeCursor({ rank, id }: Position): string {
  return Buffer.from(JSON.stringify([rank, id])).toString('base64url')
}

/** Undefined without a cursor; a refusal for one that is not ours. */
export function decodeCursor(cursor: string | undefined): Position | undefined | Refusal {
  if (cursor === undefined) return undefined
  const bad = refuse('bad_cursor', 'The cursor is not one of ours.', {
    advice: 'Start again without a cursor.',
  })
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (!Array.isArray(value) || value.length !== 2) return bad
    const [rank, id] = value
    if ((rank !== 0 && rank !== 1) || typeof id !== 'string' || !UUID.test(id)) return bad
    return { rank, id }
  } catch {
    return bad // not JSON: somebody made it up
  }
}

/** Cuts the one row that was read beyond the page and says where the next page starts. */
export function toPage<R, T>(
  rows: readonly R[],
  limit: number,
  of: { item: (row: R) => T; position: (row: R) => Position },
): Page<T> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const more = rows.length > limit && last !== undefined
  return { items: shown.map(of.item), next: more ? encodeCursor(of.position(last)) : null }
}
