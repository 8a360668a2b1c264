import type { Clock } from '@relay/common/clock'
import type { OneTimeCodes } from '@relay/common/one-time-codes'
import { type AccessAnswer, jsonAnswer, refuse } from '@relay/common/server/access/access-answer'
import { type AccessContext, type Admitted, maxLimiterKeys } from '@relay/common/server/access/access-server'
import { type RateLimit, RateLimiter } from '@relay/common/server/access/rate-limiter'
import type { BookingLists } from '@relay/common/server/booking-lists'
import { hasRequiredClaims } from '@relay/common/token/claims'
import type { KeyRing } from '@relay/common/token/key-ring'
import type { FastifyInstance } from 'fastify'
import { type AdmissionLimits, websocketPrefix } from '../exchange/admission.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { type Permission, permissionOf } from '../exchange/permission.ts'
import { describeSessionRoute } from './openapi.ts'
import { refuseSession } from './session-answer.ts'

export interface SessionRouteOptions extends AdmissionLimits {
  /** Start of the addresses that are given out; without a slash at its end. */
  readonly target: string
  readonly allowNoBookingId: boolean
  readonly subjectLimit: RateLimit
}

export interface SessionRouteDeps {
  readonly clock: Clock
  /** The keys of this moment. */
  readonly keys: () => KeyRing
  readonly codes: OneTimeCodes<Permission>
  readonly bookings: BookingLists
  readonly exchange: Exchange
}

/** `POST /session/<topic>`: a token becomes a one-time address (spec session 4.1). */
export function addSessionRoute(
  app: FastifyInstance,
  context: AccessContext,
  options: SessionRouteOptions,
  deps: SessionRouteDeps,
): void {
  const subjectLimiter = new RateLimiter(options.subjectLimit, maxLimiterKeys, deps.clock)
  app.post<{ Params: { session_id: string } }>(
    '/session/:session_id',
    { schema: describeSessionRoute },
    async (request, reply) => {
      const admitted = await context.admit(request)
      if (!admitted.ok) return context.send(reply, admitted.answer)
      const asked = { admitted, topic: request.params.session_id }
      return context.send(reply, grant(asked, context, options, { ...deps, subjectLimiter }))
    },
  )
}

/** Everything after the signature, in one turn: a denial comes before or after it, never in between. */
function grant(
  { admitted, topic }: { readonly admitted: Extract<Admitted, { ok: true }>; readonly topic: string },
  context: AccessContext,
  options: SessionRouteOptions,
  deps: SessionRouteDeps & { readonly subjectLimiter: RateLimiter },
): AccessAnswer {
  const { claims, expiresAtSec, subject } = admitted
  if (!hasRequiredClaims(claims)) return refuseSession.missingClaims()
  if (claims.topic !== topic) return refuseSession.wrongTopic()
  if (claims.prefix !== websocketPrefix) return refuseSession.wrongConnectionType()
  if (claims.bookingId === '' && !options.allowNoBookingId) return refuseSession.missingBookingId()
  if (deps.bookings.isDenied(claims.bookingId)) return refuseSession.bookingDenied()
  const permission = permissionOf(claims, { subject, keyId: claims.keyId, expiresAtSec })
  if (!permission.canRead && !permission.canWrite) return refuseSession.noUsableScope()
  if (claims.keyId !== undefined && !deps.keys().publicKeys.has(claims.keyId)) return refuse.tokenInvalid()
  const verdict = deps.subjectLimiter.take(subject)
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
