import type { ApiDocuments } from '@relay/common/server/access/documents'
import { commonErrors, describeErrors, tokenSecurity } from '@relay/common/server/access/openapi'
import type { FastifySchema } from 'fastify'
import { Type } from 'typebox'

const info = {
  title: 'Relay access API',
  version: '1.0.0',
  description:
    'Swaps a token for a one-time websocket address, and tells and changes who is connected. Bodies of errors are those of practable/relay, byte for byte.',
}

export const describeSessionRoute: FastifySchema = {
  summary: 'Get a one-time websocket address for a topic',
  operationId: 'session',
  params: Type.Object({ session_id: Type.String({ description: 'The topic, percent-encoded.' }) }),
  security: tokenSecurity,
  response: {
    200: {
      description: 'The address; its code is good for 30 s and one use.',
      ...Type.Object({ uri: Type.String() }),
    },
    ...commonErrors,
    ...describeErrors({
      400: 'The booking is missing or cancelled, or the content type cannot be read.',
      415: 'The body is not JSON.',
      503: 'The relay is full or stopping; see Retry-After.',
    }),
  },
}

/** What the status route says about one connection. */
export const connectionStatus = Type.Object({
  can_read: Type.Optional(Type.Boolean()),
  can_write: Type.Optional(Type.Boolean()),
  connected_at: Type.String({ format: 'date-time' }),
  expires_at: Type.Optional(Type.String({ format: 'date-time' })),
  remote_addr: Type.Optional(Type.String()),
  scopes: Type.Array(Type.String()),
  topic: Type.String(),
  user_agent: Type.Optional(Type.String()),
})

/**
 * What old clients of `/swagger.json` find there: the document of the old server, Swagger 2.0, with what they may look
 * up in it.
 */
const oldSwagger = {
  swagger: '2.0',
  info: {
    title: 'Crossbar',
    version: '0.3',
    description: 'See /openapi.json for the whole API of this server.',
  },
  basePath: '/',
  schemes: ['http', 'https'],
  consumes: ['application/json'],
  produces: ['application/json'],
  securityDefinitions: { Bearer: { type: 'apiKey', name: 'Authorization', in: 'header' } },
  paths: {
    '/session/{session_id}': {
      post: {
        summary: 'Get access to the specified session',
        operationId: 'session',
        security: [{ Bearer: [] }],
        parameters: [{ name: 'session_id', in: 'path', type: 'string', required: true }],
        responses: {
          200: {
            description: 'A one-time websocket address',
            schema: { type: 'object', properties: { uri: { type: 'string' } } },
          },
          401: { description: 'Unauthorized' },
        },
      },
    },
  },
} as const

/** How the access API describes itself. */
export const apiDocuments: ApiDocuments = {
  info,
  oldSwagger,
  tokenDescription: 'The token, bare or behind "Bearer ".',
}
