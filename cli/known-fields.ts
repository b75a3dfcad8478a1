import { z } from 'zod'
import { api } from '../contracts/api.ts'
import type { Command } from './command.ts'
import { usageFailure } from './failure.ts'
import { didYouMean } from './suggest.ts'

/** The part of a JSON schema that says which fields there are. */
interface Shape {
  properties?: Readonly<Record<string, Shape>>
  items?: Shape
  anyOf?: readonly Shape[]
  oneOf?: readonly Shape[]
  allOf?: readonly Shape[]
}

/** The fields of what a command prints with --json, of a list those of its items; none where it prints no such thing. */
export function fieldsOf({ prints }: Command): readonly string[] {
  const replies = (prints?.replies ?? []).map((route) =>
    z.toJSONSchema(api[route].reply, { unrepresentable: 'any', reused: 'inline' }),
  )
  const names = replies.flatMap((reply) => fieldsOfShape(reply as Shape))
  return [...new Set([...names, ...(prints?.fields ?? [])])]
}

function fieldsOfShape({ properties = {}, anyOf, oneOf, allOf }: Shape): string[] {
  const items = properties['items']?.items
  if (items) return fieldsOfShape(items)
  const parts = [...(anyOf ?? []), ...(oneOf ?? []), ...(allOf ?? [])]
  return [...Object.keys(properties), ...parts.flatMap(fieldsOfShape)]
}

/** Throws a usage failure that lists the fields there are; before anything is done, since a field is no reason to do it again. */
export function refuseOtherFields(command: Command, asked: readonly string[]): void {
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
