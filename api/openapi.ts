import { z } from 'zod'
import {
  createDocument,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiOverride,
  type ZodOpenApiPathsObject,
} from 'zod-openapi'
import { api, type RouteSchema } from '../contracts/api.ts'
import { type Route, type RouteName, routes } from '../contracts/routes.ts'
import { problem } from '../contracts/schemas.ts'

/** The OpenAPI 3.1 document of every route of the table. */
export function openApiDocument(version: string) {
  const paths: ZodOpenApiPathsObject = {}
  for (const name of Object.keys(routes) as RouteName[]) {
    const route: Route = routes[name]
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = {
      ...paths[path],
      [route.method.toLowerCase()]: operation(name, route, api[name]),
    }
  }
  const document: ZodOpenApiObject = {
    openapi: '3.1.0',
    info: {
      title: 'Dispatch',
      version,
      description: 'Directs coding agents. Changes need the header `X-Dispatch: 1`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [],
    paths,
  }
  return createDocument(document, { override: openReply })
}

/** What is answered may have more than is described, in parts of it too: a closed part would refuse what the others have. */
const openReply: ZodOpenApiOverride = ({ jsonSchema, zodSchema, io }) => {
  const { def } = zodSchema._zod
  if (io === 'output' && def.type === 'object' && !def.catchall)
    delete jsonSchema.additionalProperties
}

const dispatchHeader = z.object({ 'X-Dispatch': z.literal('1') })
const matchHeader = { 'If-Match': z.string().optional() }
const keyHeader = { 'Idempotency-Key': z.string().min(1).max(255).optional() }

const problemAnswer = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: problem } },
})

function operation(name: string, route: Route, schema: RouteSchema): ZodOpenApiOperationObject {
  const changes = route.method !== 'GET'
  const header = dispatchHeader.extend({
    ...(route.idempotent ? keyHeader : {}),
    ...(route.versioned ? matchHeader : {}),
  })
  return {
    operationId: name,
    summary: schema.summary,
    requestParams: {
      ...(schema.params ? { path: schema.params as z.ZodObject } : {}),
      ...(schema.query ? { query: schema.query as z.ZodObject } : {}),
      ...(changes ? { header } : {}),
    },
    ...(schema.body
      ? {
          requestBody: {
            // none is an empty object
            required: !schema.body.safeParse({}).success,
            content: { 'application/json': { schema: schema.body } },
          },
        }
      : {}),
    responses: {
      [route.status]: {
        description: schema.summary,
        content: { 'application/json': { schema: schema.reply } },
      },
      '4XX': problemAnswer('What is wrong, and what to do'),
      '5XX': problemAnswer('What is away, or went wrong in Dispatch'),
    },
  }
}
