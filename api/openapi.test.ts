import { expect, test } from 'vitest'
import { type Route, routes } from '../contracts/routes.ts'
import { openApiDocument } from './openapi.ts'

const document = openApiDocument('1.2.3') as unknown as {
  openapi: string
  paths: Record<
    string,
    Record<
      string,
      {
        operationId: string
        parameters?: { name: string; in: string }[]
        requestBody?: { required?: boolean }
        responses: object
      }
    >
  >
}

test('every route of the table is described, with its path parameters, status and problems', () => {
  for (const [name, { method, path, status }] of Object.entries<Route>(routes)) {
    const operation = document.paths[path.replace(':id', '{id}')]?.[method.toLowerCase()]
    expect(operation?.operationId).toBe(name)
    expect(Object.keys(operation?.responses ?? {})).toEqual([String(status), '4XX', '5XX'])
    const inPath = (operation?.parameters ?? []).filter((one) => one.in === 'path')
    expect(inPath.map((one) => one.name)).toEqual(path.includes(':id') ? ['id'] : [])
  }
  const described = Object.values(document.paths).flatMap((one) => Object.keys(one))
  expect(described).toHaveLength(Object.keys(routes).length)
})

test('a body that must be sent is one that is required', () => {
  const isRequired = (path: string, method: string) =>
    document.paths[path]?.[method]?.requestBody?.required
  expect(isRequired('/api/goals', 'post')).toBe(true)
  expect(isRequired('/api/goals/{id}/pause', 'post')).toBe(false)
})

test('every reference of the document leads somewhere', () => {
  const text = JSON.stringify(document)
  const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map((match) => match[1] ?? '')
  for (const reference of references) {
    const target = reference
      .split('/')
      .reduce<unknown>(
        (node, key) => (node as Record<string, unknown> | undefined)?.[key],
        document,
      )
    expect({ reference, found: target !== undefined }).toEqual({ reference, found: true })
  }
  expect(document.openapi).toBe('3.1.0')
})

test('an answer may have more than is described: no part of a sum of shapes refuses what the others have', () => {
  const answers = Object.values(document.paths).flatMap((path) =>
    Object.values(path).map(({ responses }) => JSON.stringify(responses)),
  )
  expect(answers.filter((text) => text.includes('"allOf"'))).toHaveLength(1) // events
  for (const text of answers)
    for (const { allOf = [] } of objectsIn(JSON.parse(text)))
      for (const part of objectsIn(allOf)) expect(part).not.toHaveProperty('additionalProperties')
})

type Shape = { allOf?: unknown[] } & Record<string, unknown>

/** Every object in a value, itself too. */
function objectsIn(value: unknown): Shape[] {
  if (typeof value !== 'object' || value === null) return []
  return [
    ...(Array.isArray(value) ? [] : [value as Shape]),
    ...Object.values(value).flatMap(objectsIn),
  ]
}
