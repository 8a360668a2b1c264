import type { FastifySchema } from 'fastify'
import { Type } from 'typebox'

/** Description of the whole API, for the generated document. The route descriptions below stand with their routes. */
export const apiInfo = {
  title: 'Relay access API',
  version: '1.0.0',
  description:
    'Swaps a token for a one-time websocket address, and tells and changes who is connected. Bodies of errors are those of practable/relay, byte for byte.',
}

const errorBody = Type.Object({
  code: Type.Union([Type.Integer(), Type.String()]),
  message: Type.String(),
})
const token = [{ token: [] }]

function errors(statuses: Readonly<Record<number, string>>): Record<number, object> {
  return Object.fromEntries(
    Object.entries(statuses).map(([status, description]) => [status, { ...errorBody, description }]),
  )
}

const commonErrors = errors({
  401: 'The token is missing, invalid, or lacks what is needed.',
  406: 'JSON is not accepted.',
  429: 'Too many requests; see Retry-After.',
})

export const describeSessionRoute: FastifySchema = {
  summary: 'Get a one-time websocket address for a topic',
  operationId: 'session',
  params: Type.Object({ session_id: Type.String({ description: 'The topic, percent-encoded.' }) }),
  security: token,
  response: {
    200: {
      description: 'The address; its code is good for 30 s and one use.',
      ...Type.Object({ uri: Type.String() }),
    },
    ...commonErrors,
    ...errors({
      400: 'The booking is missing or cancelled, or the content type cannot be read.',
      415: 'The body is not JSON.',
      503: 'The relay is full or stopping; see Retry-After.',
    }),
  },
}

/** The list of denied or allowed bookings. */
export function describeBidsList(path: string): FastifySchema {
  return {
    summary: `List bookings that are ${path === '/bids/deny' ? 'denied' : 'allowed'}`,
    description: 'Needs the scope relay:admin.',
    security: token,
    response: {
      200: {
        description: 'Booking ids, in no order.',
        ...Type.Object({ booking_ids: Type.Array(Type.String()) }),
      },
      ...commonErrors,
    },
  }
}

/** The change of a denial. */
export function describeBidsChange(path: string): FastifySchema {
  return {
    summary:
      path === '/bids/deny'
        ? 'Deny a booking: its connections end at once'
        : 'Take back the denial of a booking',
    description: 'Needs the scope relay:admin.',
    querystring: Type.Object({
      bid: Type.String({ description: 'Booking id.' }),
      exp: Type.Integer({ description: 'End of the booking in unix seconds.' }),
    }),
    security: token,
    response: {
      204: { description: 'Done.', type: 'null' },
      ...commonErrors,
      ...errors({ 400: 'The booking is over.', 422: 'A parameter is missing or wrong.' }),
    },
  }
}

export const describeStatusRoute: FastifySchema = {
  summary: 'List all connections',
  description: 'Needs the scope relay:stats.',
  security: token,
  response: {
    200: {
      description: 'One element for each connection; false and empty members are left out.',
      type: 'array',
      items: Type.Object({
        can_read: Type.Optional(Type.Boolean()),
        can_write: Type.Optional(Type.Boolean()),
        connected_at: Type.String({ format: 'date-time' }),
        expires_at: Type.Optional(Type.String({ format: 'date-time' })),
        remote_addr: Type.Optional(Type.String()),
        scopes: Type.Array(Type.String()),
        topic: Type.String(),
        user_agent: Type.Optional(Type.String()),
      }),
    },
    ...commonErrors,
  },
}

/** Liveness or readiness. */
export function describeHealthRoute(name: 'healthz' | 'readyz'): FastifySchema {
  const body = Type.Object({ status: Type.String() })
  return {
    summary:
      name === 'healthz' ? 'Whether the process lives' : 'Whether new clients are taken; 503 while stopping',
    response: {
      200: { description: 'Yes.', ...body },
      ...(name === 'readyz' ? { 503: { description: 'No.', ...body } } : {}),
    },
  }
}

/**
 * What old clients of `/swagger.json` find there: the document of the old server, Swagger 2.0, with what they may look
 * up in it.
 */
export const oldSwaggerDocument = {
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
