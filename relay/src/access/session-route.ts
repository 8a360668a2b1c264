import { hasRequiredClaims } from '@relay/common/token/claims'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { permissionOf } from '../exchange/permission.ts'
import { type AccessAnswer, jsonAnswer, refuse } from './access-answer.ts'
import type { AccessContext, Admitted } from './access-server.ts'
import { describeSessionRoute } from './openapi.ts'

/** The only kind of connection that this relay serves. */
const connectionType = 'session'

/** `POST /session/<topic>`: a token becomes a one-time address (spec session 4.1). */
export function addSessionRoute(
  app: FastifyInstance,
  context: AccessContext,
  send: (reply: FastifyReply, answer: AccessAnswer) => FastifyReply,
): void {
  app.post<{ Params: { session_id: string } }>(
    '/session/:session_id',
    { schema: describeSessionRoute },
    async (request, reply) => {
      const admitted = await context.admit(request)
      const answer = admitted.ok ? grant(admitted, request.params.session_id, context) : admitted.answer
      return send(reply, answer)
    },
  )
}

/** Everything after the signature, in one turn: a denial comes before or after it, never in between. */
function grant(
  { claims, expiresAtSec, subject }: Extract<Admitted, { ok: true }>,
  topic: string,
  context: AccessContext,
): AccessAnswer {
  const { options, deps, subjectLimiter } = context
  if (!hasRequiredClaims(claims)) return refuse.missingClaims()
  if (claims.topic !== topic) return refuse.wrongTopic()
  if (claims.prefix !== connectionType) return refuse.wrongConnectionType()
  if (claims.bookingId === '' && !options.allowNoBookingId) return refuse.missingBookingId()
  if (deps.bookings.isDenied(claims.bookingId)) return refuse.bookingDenied()
  const permission = permissionOf(claims, { subject, keyId: claims.keyId, expiresAtSec })
  if (!permission.canRead && !permission.canWrite) return refuse.noUsableScope()
  if (claims.keyId !== undefined && !deps.keys().publicKeys.has(claims.keyId)) return refuse.tokenInvalid()
  const verdict = subjectLimiter.take(subject)
  if (!verdict.ok) return refuse.tooManyRequests(verdict.retryAfterMs)
  if (context.isDraining()) return refuse.draining()
  if (deps.exchange.connections.size >= options.maxConnections) return refuse.relayFull()
  if (deps.exchange.countOfSubject(subject) >= options.maxConnectionsPerSubject)
    return refuse.tooManyConnections()
  const code = deps.codes.add(permission)
  deps.bookings.seen(claims.bookingId, expiresAtSec)
  context.countGranted()
  return jsonAnswer({ uri: `${options.target}/${claims.prefix}/${claims.topic}?code=${code}` })
}
