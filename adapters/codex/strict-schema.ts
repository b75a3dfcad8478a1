/**
 * OpenAI's structured outputs take only "strict" schemas (https://platform.openai.com/docs/guides/structured-outputs): every property is
 * required, objects are closed, and many keywords are refused with a 400. What may be left out becomes nullable, and `fromStrict` takes
 * the nulls out of the answer again. What a keyword said is checked by the pipeline itself.
 */
export type Schema = Record<string, unknown>

const REFUSED = new Set(
  '$schema $id default examples minLength maxLength minItems maxItems uniqueItems propertyNames patternProperties'.split(
    ' ',
  ),
)

/** Undefined where the schema cannot be said strictly (an object with free keys): then the answer is asked for in words alone. */
export function strictSchema(schema: Schema): Schema | undefined {
  try {
    return strict(schema)
  } catch (error) {
    if (error instanceof NotStrict) return undefined
    throw error
  }
}

class NotStrict extends Error {}

function strict(schema: Schema): Schema {
  const result: Schema = {}
  for (const [key, value] of Object.entries(schema)) {
    if (REFUSED.has(key)) continue
    if (key === 'items') result[key] = strict(value as Schema)
    else if (key === 'oneOf') result['anyOf'] = (value as Schema[]).map(strict)
    else if (key === 'anyOf') result[key] = (value as Schema[]).map(strict)
    else if (key === '$defs') result[key] = eachOf(value as Record<string, Schema>, strict)
    else result[key] = value
  }
  return schema['type'] === 'object' ? strictObject(schema, result) : result
}

function strictObject(schema: Schema, result: Schema): Schema {
  const properties = schema['properties'] as Record<string, Schema> | undefined
  if (!properties) throw new NotStrict()
  const required = (schema['required'] ?? []) as string[]
  result['properties'] = eachOf(properties, (value, name) =>
    required.includes(name) ? strict(value) : { anyOf: [strict(value), { type: 'null' }] },
  )
  result['required'] = Object.keys(properties)
  result['additionalProperties'] = false
  return result
}

const eachOf = <T, R>(record: Record<string, T>, by: (value: T, name: string) => R) =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, by(value, name)]))

/** The answer in a last message; undefined when it is no JSON: the check of the answer then tells the agent. */
export function answerIn(text: string, schema: Schema): unknown {
  try {
    return fromStrict(JSON.parse(text), schema)
  } catch {
    return undefined
  }
}

/** An answer to `strictSchema(schema)` as one to `schema`: what may be left out and is null was left out. */
function fromStrict(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) {
    const items = (schema['items'] ?? {}) as Schema
    return value.map((item) => fromStrict(item, items))
  }
  if (typeof value !== 'object' || value === null) return value
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>
  const required = (schema['required'] ?? []) as string[]
  const kept = Object.entries(value).filter(
    ([name, inner]) =>
      inner !== null || required.includes(name) || !Object.hasOwn(properties, name),
  )
  return Object.fromEntries(
    kept.map(([name, inner]) => [name, fromStrict(inner, properties[name] ?? {})]),
  )
}
