/** The fields of `--json=id,title`, the last one given; undefined where all are wanted. */
export function fieldsAsked(argv: readonly string[]): readonly string[] | undefined {
  const given = argv.findLast((word) => word.startsWith(START))
  if (given === undefined) return undefined
  return given
    .slice(START.length)
    .split(',')
    .map((field) => field.trim())
}

const START = '--json='

/** A document with these fields alone: those of its items where it is a list. One that an item does not have is null. */
export function withFields(value: unknown, fields: readonly string[]): unknown {
  const list = value as { items?: unknown }
  if (!Array.isArray(list.items)) return picked(value as Item, fields)
  return { ...list, items: list.items.map((item) => picked(item, fields)) }
}

type Item = Readonly<Record<string, unknown>>

const picked = (item: Item, fields: readonly string[]) =>
  Object.fromEntries(fields.map((field) => [field, item[field] ?? null]))
