import type { ApiDocuments } from '@relay/common/server/access/documents'
import { commonErrors, describeErrors, tokenSecurity } from '@relay/common/server/access/openapi'
import type { FastifySchema } from 'fastify'
import { Type } from 'typebox'
import type { AnswerStyle } from './shell-answer.ts'

const params = Type.Object({ id: Type.String({ description: 'The experiment, percent-encoded.' }) })

/** The exchange of a token for an address, in the form of one generation. */
export function describeConnectRoute(style: AnswerStyle): FastifySchema {
  return {
    summary: 'Get a one-time websocket address for an experiment',
    description:
      style === 'shell'
        ? 'Errors about the token are JSON strings, as of practable/relay v0.2.2.'
        : 'Errors about the token are objects, as of its successor.',
    operationId: style,
    params,
    security: tokenSecurity,
    response: {
      200: {
        description: 'The address; its code is good for 30 s and one use.',
        ...Type.Object({ uri: Type.String() }),
      },
      ...commonErrors,
      ...describeErrors({
        400: 'The content type cannot be read.',
        415: 'The body is not JSON.',
        503: 'The relay is full or stopping; see Retry-After.',
      }),
    },
  }
}

export const describeHostKeysRoute: FastifySchema = {
  summary: 'Get the ssh host keys of an experiment',
  params,
  security: tokenSecurity,
  response: {
    200: {
      description: 'As its host told them last.',
      ...Type.Object({
        keys: Type.Array(
          Type.String({ description: 'A public key as in known_hosts: algorithm and base64.' }),
        ),
        signed: Type.Optional(Type.String({ description: 'Compact JWS of the device over the same keys.' })),
        since: Type.String({ format: 'date-time' }),
      }),
    },
    ...commonErrors,
    ...describeErrors({ 404: 'No host has told its keys.' }),
  },
}

/** What the status route says about one link: the keys of both old programs and ours (spec shell 5.3, 9.2). */
export const linkStatus = Type.Object({
  topic: Type.String(),
  id: Type.Optional(Type.String()),
  role: Type.Optional(Type.String()),
  peer: Type.Optional(Type.String()),
  session: Type.Optional(Type.String()),
  scopes: Type.Union([Type.Array(Type.String()), Type.Null()]),
  connected: Type.String({ format: 'date-time' }),
  expiresAt: Type.String({ format: 'date-time' }),
  remoteAddr: Type.String(),
  userAgent: Type.String(),
  bytesFrom: Type.Optional(Type.Integer()),
  bytesTo: Type.Optional(Type.Integer()),
})

const oldOperation = {
  post: {
    summary: 'Get access to the specified host',
    security: [{ Bearer: [] }],
    parameters: [{ name: 'id', in: 'path', type: 'string', required: true }],
    responses: {
      200: {
        description: 'A one-time websocket address',
        schema: { type: 'object', properties: { uri: { type: 'string' } } },
      },
      401: { description: 'Unauthorized' },
    },
  },
} as const

/** How the access API describes itself; the old document holds what old clients may look up in it. */
export const apiDocuments: ApiDocuments = {
  info: {
    title: 'Shell relay access API',
    version: '1.0.0',
    description:
      'Swaps a token for a one-time websocket address, for the hosts and clients of ssh tunnels. Bodies of errors are those of practable/relay v0.2.2 and of its successor, by path.',
  },
  tokenDescription: 'The token alone, without "Bearer ".',
  oldSwagger: {
    swagger: '2.0',
    info: { title: 'Shellbar', version: '0.1', description: 'See /openapi.json for the whole API.' },
    basePath: '/',
    schemes: ['http', 'https'],
    consumes: ['application/json'],
    produces: ['application/json'],
    securityDefinitions: { Bearer: { type: 'apiKey', name: 'Authorization', in: 'header' } },
    paths: { '/shell/{id}': oldOperation, '/api/v1/connect/{id}': oldOperation },
  },
}
