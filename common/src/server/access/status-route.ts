import type { FastifyInstance } from 'fastify'
import type { TSchema } from 'typebox'
import { jsonAnswer, refuse } from './access-answer.ts'
import type { AccessContext } from './access-server.ts'
import { describeStatusRoute } from './openapi.ts'

export interface StatusRouteOptions {
  /** Form of one element, for the documents. */
  readonly connection: TSchema
  /** Every connection at this moment. */
  readonly status: () => readonly object[]
}

/** `GET /status` (spec session 10.4): every connection there is, for tokens with the scope `relay:stats`. */
export function addStatusRoute(
  app: FastifyInstance,
  { admit, send }: AccessContext,
  { connection, status }: StatusRouteOptions,
): void {
  app.get('/status', { schema: describeStatusRoute(connection) }, async (request, reply) => {
    const admitted = await admit(request)
    if (!admitted.ok) return send(reply, admitted.answer)
    if (!admitted.claims.scopes.includes('relay:stats')) return send(reply, refuse.missingStatsScope())
    return send(reply, jsonAnswer(status()))
  })
}
