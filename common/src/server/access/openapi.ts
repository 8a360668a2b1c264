import type { FastifySchema } from 'fastify'
import { type TSchema, Type } from 'typebox'

const errorBody = Type.Object({
  code: Type.Union([Type.Integer(), Type.String()]),
  message: Type.String(),
})
/** A route that wants a token. */
export const tokenSecurity = [{ token: [] }]

/** Answers with an error, by status. */
export function describeErrors(statuses: Readonly<Record<number, string>>): Record<number, object> {
  return Object.fromEntries(
    Object.entries(statuses).map(([status, description]) => [status, { ...errorBody, description }]),
  )
}

/** Errors of every route that wants a token. */
export const commonErrors = describeErrors({
  401: 'The token is missing, invalid, or lacks what is needed.',
  406: 'JSON is not accepted.',
  429: 'Too many requests; see Retry-After.',
})

/** The list of denied or allowed bookings. */
export function describeBidsList(path: string): FastifySchema {
  return {
    summary: `List bookings that are ${path === '/bids/deny' ? 'denied' : 'allowed'}`,
    description: 'Needs the scope relay:admin.',
    security: tokenSecurity,
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
    security: tokenSecurity,
    response: {
      204: { description: 'Done.', type: 'null' },
      ...commonErrors,
      ...describeErrors({ 400: 'The booking is over.', 422: 'A parameter is missing or wrong.' }),
    },
  }
}

/** The list of connections; `connection` is the form of one element. */
export function describeStatusRoute(connection: TSchema): FastifySchema {
  return {
    summary: 'List all connections',
    description: 'Needs the scope relay:stats.',
    security: tokenSecurity,
    response: {
      200: {
        description: 'One element for each connection; false and empty members are left out.',
        type: 'array',
        items: connection,
      },
      ...commonErrors,
    },
  }
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
