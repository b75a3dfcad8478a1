import { usageFailure } from './failure.ts'
import type { Cell, Column, Io } from './io.ts'

export function pageQuery({
  limit,
  cursor,
}: {
  limit: string | undefined
  cursor: string | undefined
}) {
  return {
    ...(limit === undefined ? {} : { limit: wholeNumber('--limit', limit, { min: 1, max: 200 }) }),
    ...(cursor === undefined ? {} : { cursor }),
  }
}

/** Throws a usage failure when `text` is not a whole number in the range. */
export function wholeNumber(
  what: string,
  text: string,
  { min, max }: { min: number; max: number },
): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= min && value <= max))
    throw usageFailure(`${what} cannot be "${text}": it is a whole number from ${min} to ${max}.`)
  return value
}

interface Page<T> {
  items: T[]
  next: string | null
}

/** Prints a page as the API gave it, or as a table. */
export function printPage<T>(
  io: Io,
  page: Page<T>,
  table: { none: string; columns: Column[]; row: (item: T) => (Cell | string)[] },
): number {
  if (io.json) {
    io.document(page)
    return 0
  }
  if (page.items.length === 0) io.note(table.none)
  else io.table(table.columns, page.items.map(table.row))
  if (page.next !== null) io.note(`There are more: add --cursor ${page.next}`)
  return 0
}
