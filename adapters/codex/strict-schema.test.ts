import { expect, test } from 'vitest'
import { outputJsonSchema, STAGE_OUTPUTS } from '../../contracts/outputs.ts'
import { AGENT_STAGES } from '../../contracts/stages.ts'
import { answerIn, type Schema, strictSchema } from './strict-schema.ts'

/** Every object in a schema. */
function objectsIn(schema: unknown): Schema[] {
  if (typeof schema !== 'object' || schema === null) return []
  const here = (schema as Schema)['type'] === 'object' ? [schema as Schema] : []
  return [...here, ...Object.values(schema).flatMap(objectsIn)]
}

test.each(AGENT_STAGES)('the answer of %s can be asked for strictly', (stage) => {
  const schema = strictSchema(outputJsonSchema(stage))
  const objects = objectsIn(schema)
  expect(objects.length).toBeGreaterThan(0)
  for (const { properties, required, additionalProperties } of objects) {
    expect(required).toEqual(Object.keys(properties as Schema))
    expect(additionalProperties).toBe(false)
  }
  expect(JSON.stringify(schema)).not.toMatch(/"(?:\$schema|default|minLength|maxItems)"/)
})

test('what was left out comes as null and is left out again', () => {
  const answer = { items: [{ ref: 'AC-1', result: 'pass', evidence: 'seen', file: null, line: 3 }] }
  const output = answerIn(JSON.stringify(answer), outputJsonSchema('verify'))
  expect(output).toEqual({ items: [{ ref: 'AC-1', result: 'pass', evidence: 'seen', line: 3 }] })
  expect(STAGE_OUTPUTS.verify.safeParse(output).success).toBe(true)
})

test('an object with free keys cannot be said strictly', () => {
  expect(strictSchema({ type: 'object', additionalProperties: { type: 'string' } })).toBeUndefined()
})

test('words are no answer', () => {
  expect(answerIn('I could not do it.', { type: 'object' })).toBeUndefined()
})
