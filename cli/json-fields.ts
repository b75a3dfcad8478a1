import type { Command } from './command.ts'
import { usageFailure } from './failure.ts'
import { didYouMean } from './suggest.ts'

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

/** Throws a usage failure that lists the fields there are; before anything is done, since a field is no reason to do it again. */
export async function refuseOtherFields(command: Command, asked: readonly string[]): Promise<void> {
  const { fieldsOf } = await import('./known-fields.ts')
  const known = fieldsOf(command)
  if (known.length === 0)
    throw usageFailure(
      `"dispatch ${command.name}" has no fields to choose from: write --json alone.`,
    )
  const other = asked.find((field) => !known.includes(field))
  if (other === undefined) return
  const meant = other === '' ? undefined : didYouMean(other, known)
  throw usageFailure(
    `"dispatch ${command.name}" has no field "${other}".`,
    `${meant ? `${meant} ` : ''}Its fields are ${known.join(', ')}.`,
  )
}
