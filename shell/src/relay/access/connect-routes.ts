import { randomUUID } from 'node:crypto'
import type { Clock } from '@relay/common/clock'
import type { OneTimeCodes } from '@relay/common/one-time-codes'
import { type AccessAnswer, jsonAnswer, refuse } from '@relay/common/server/access/access-answer'
import { type AccessContext, type Admitted, maxLimiterKeys } from '@relay/common/server/access/access-server'
import { type RateLimit, RateLimiter } from '@relay/common/server/access/rate-limiter'
import type { BookingLists } from '@relay/common/server/booking-lists'
import type { KeyRing } from '@relay/common/token/key-ring'
import type { FastifyInstance } from 'fastify'
import type { ExchangeForAccess } from '../exchange/exchange-port.ts'
import type { Permission, Prefix } from '../exchange/permission.ts'
import { describeConnectRoute } from './openapi.ts'
import { readUse, type TokenUse } from './read-use.ts'
import { type AnswerStyle, refuseMore, refuseToken, refuseUse } from './shell-answer.ts'

export interface ConnectRoutesOptions {
  /** Start of the addresses that are given out; without a slash at its end. */
  readonly target: string
  readonly subjectLimit: RateLimit
}

export interface ConnectRoutesDeps {
  readonly clock: Clock
  /** The keys of this moment. */
  readonly keys: () => KeyRing
  readonly codes: OneTimeCodes<Permission>
  readonly bookings: BookingLists
  readonly exchange: ExchangeForAccess
}

/** The paths of both generations, and in whose form each answers. */
export const connectPaths: Readonly<Record<AnswerStyle, string>> = {
  shell: '/shell',
  connect: '/api/v1/connect',
}

/** `POST /shell/<id>` and `POST /api/v1/connect/<id>`: a token becomes a one-time address (spec shell 1.2, 4, 9.1). */
export function addConnectRoutes(
  app: FastifyInstance,
  context: AccessContext,
  options: ConnectRoutesOptions,
  deps: ConnectRoutesDeps,
): void {
  const limiter = new RateLimiter(options.subjectLimit, maxLimiterKeys, deps.clock)
  for (const style of ['shell', 'connect'] as const) {
    app.post<{ Params: { id: string } }>(
      `${connectPaths[style]}/:id`,
      { schema: describeConnectRoute(style) },
      async (request, reply) => {
        const admitted = await context.admit(request)
        if (!admitted.ok) return context.send(reply, admitted.answer)
        const { id } = request.params
        const use = readUse(admitted.claims, id)
        if (typeof use === 'object') return context.send(reply, refuseUse(use.refusal, style))
        const asked = { admitted, id, use, style, address: context.addressOf(request) }
        return context.send(reply, grant(asked, context, options, { ...deps, limiter }))
      },
    )
  }
}

interface Asked {
  readonly admitted: Extract<Admitted, { ok: true }>
  readonly id: string
  readonly use: TokenUse
  readonly style: AnswerStyle
  readonly address: string
}

/** Everything after the claims, in one turn: a denial comes before or after it, never in between. */
function grant(
  asked: Asked,
  context: AccessContext,
  { target }: ConnectRoutesOptions,
  { codes, bookings, exchange, keys, limiter }: ConnectRoutesDeps & { readonly limiter: RateLimiter },
): AccessAnswer {
  const { admitted, style, address } = asked
  const { claims, subject, expiresAtSec } = admitted
  if (bookings.isDenied(claims.bookingId)) return refuseUse('bookingDenied', style)
  if (claims.keyId !== undefined && !keys().publicKeys.has(claims.keyId)) return refuseToken('unknown-key')
  const verdict = limiter.take(subject)
  if (!verdict.ok) return refuse.tooManyRequests(verdict.retryAfterMs)
  if (context.isDraining()) return refuse.draining()
  const permission = permissionOf(asked)
  if (permission === undefined) {
    // As the old servers do: the websocket port answers 404, whatever the code.
    return jsonAnswer({
      uri: `${target}/${encodeURIComponent(claims.prefix)}/${asked.id}?code=${randomUUID()}`,
    })
  }
  const refusal = exchange.refusalOf(permission, address)
  if (refusal !== undefined) return refuseMore(refusal)
  const code = codes.add(permission)
  bookings.seen(claims.bookingId, expiresAtSec)
  context.countGranted()
  return jsonAnswer({ uri: `${target}/${permission.prefix}/${permission.path}?code=${code}` })
}

/** What the code will stand for; undefined for a kind of connection that the websocket port does not serve. */
function permissionOf({ admitted, id, use }: Asked): Permission | undefined {
  const { claims, expiresAtSec, fingerprint } = admitted
  if (!isPrefix(claims.prefix)) return undefined
  const common = {
    prefix: claims.prefix,
    id,
    path: id,
    scopes: claims.scopes,
    bookingId: claims.bookingId,
    keyId: claims.keyId,
    fingerprint,
    notBeforeSec: claims.notBeforeSec,
    expiresAtSec,
  }
  if (use !== 'client') return { ...common, role: use }
  const connectionId = randomUUID()
  return { ...common, role: 'client', connectionId, path: `${id}/${connectionId}` }
}

function isPrefix(text: string): text is Prefix {
  return text === 'shell' || text === 'connect'
}
