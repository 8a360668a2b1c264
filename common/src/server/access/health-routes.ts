import type { FastifyInstance } from 'fastify'
import { jsonAnswer } from './access-answer.ts'
import type { AccessContext } from './access-server.ts'
import { describeHealthRoute } from './openapi.ts'

/** `/healthz`: the process lives. `/readyz`: it takes new clients; 503 while it drains. */
export function addHealthRoutes(app: FastifyInstance, { isDraining, send }: AccessContext): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/healthz',
    schema: describeHealthRoute('healthz'),
    handler: async (_request, reply) => send(reply, jsonAnswer({ status: 'ok' })),
  })
  app.route({
    method: ['GET', 'HEAD'],
    url: '/readyz',
    schema: describeHealthRoute('readyz'),
    handler: async (_request, reply) =>
      send(
        reply,
        isDraining() ? { ...jsonAnswer({ status: 'draining' }), status: 503 } : jsonAnswer({ status: 'ok' }),
      ),
  })
}
