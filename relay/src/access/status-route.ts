import type { FastifyInstance, FastifyReply } from 'fastify'
import { type AccessAnswer, jsonAnswer, refuse } from './access-answer.ts'
import type { AccessContext } from './access-server.ts'
import { describeStatusRoute } from './openapi.ts'

/** `GET /status` (spec session 10.4): every connection there is, for tokens with the scope `relay:stats`. */
export function addStatusRoute(
  app: FastifyInstance,
  context: AccessContext,
  send: (reply: FastifyReply, answer: AccessAnswer) => FastifyReply,
): void {
  app.get('/status', { schema: describeStatusRoute }, async (request, reply) => {
    const admitted = await context.admit(request)
    if (!admitted.ok) return send(reply, admitted.answer)
    if (!admitted.claims.scopes.includes('relay:stats')) return send(reply, refuse.missingStatsScope())
    return send(reply, jsonAnswer(context.deps.status.status()))
  })
}
