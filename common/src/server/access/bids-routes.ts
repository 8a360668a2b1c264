import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { BookingLists } from '../booking-lists.ts'
import { splitTarget } from '../request-path.ts'
import { type AccessAnswer, jsonAnswer, refuse } from './access-answer.ts'
import type { AccessContext } from './access-server.ts'
import { describeBidsChange, describeBidsList } from './openapi.ts'

const adminScope = 'relay:admin'

export interface BidsDeps {
  readonly clock: Pick<Clock, 'nowMs'>
  readonly log: Log
  readonly bookings: BookingLists
  /** Ends what a booking has at this moment: codes that wait, and connections. Says how many of each. */
  readonly endBooking: (bookingId: string) => {
    readonly deletedCodes: number
    readonly closedConnections: number
  }
}

/** `/bids/deny` and `/bids/allow` (spec session 10.4): which bookings may not, or may again, connect. */
export function addBidsRoutes(app: FastifyInstance, context: AccessContext, deps: BidsDeps): void {
  const { bookings, clock } = deps
  const { send } = context
  const list = (path: string, names: () => readonly string[]): void => {
    app.get(path, { schema: describeBidsList(path) }, async (request, reply) => {
      const admitted = await context.admit(request)
      if (!admitted.ok) return send(reply, admitted.answer)
      if (!admitted.claims.scopes.includes(adminScope)) return send(reply, refuse.missingAdminScope())
      return send(reply, jsonAnswer({ booking_ids: names() }))
    })
  }
  list('/bids/deny', () => bookings.denied)
  list('/bids/allow', () => bookings.allowed)

  app.post('/bids/deny', { schema: describeBidsChange('/bids/deny') }, async (request, reply) => {
    const change = await admitChange(request, context, refuse.missingAdminScopeToDeny)
    if (!change.ok) return send(reply, change.answer)
    const { bookingId, untilSec } = change
    if (isOver(untilSec, clock)) return send(reply, refuse.denialInThePast(untilSec))
    if (!bookings.deny(bookingId, Number(untilSec))) return send(reply, refuse.denyListFull())
    deps.log.info({ bookingId, ...deps.endBooking(bookingId) }, 'booking denied')
    return send(reply, noContent)
  })

  app.post('/bids/allow', { schema: describeBidsChange('/bids/allow') }, async (request, reply) => {
    const change = await admitChange(request, context, refuse.missingAdminScope)
    if (!change.ok) return send(reply, change.answer)
    const { bookingId, untilSec } = change
    if (isOver(untilSec, clock)) return send(reply, refuse.allowanceInThePast())
    bookings.allow(bookingId, Number(untilSec))
    deps.log.info({ bookingId }, 'booking allowed')
    return send(reply, noContent)
  })
}

const noContent: AccessAnswer = { status: 204, body: '' }

function isOver(untilSec: bigint, clock: BidsDeps['clock']): boolean {
  return untilSec < BigInt(Math.floor(clock.nowMs() / 1000))
}

type Change =
  | { readonly ok: true; readonly bookingId: string; readonly untilSec: bigint }
  | { readonly ok: false; readonly answer: AccessAnswer }

/** The order of the old server: token, media types, parameters, and only then the scope. */
async function admitChange(
  request: FastifyRequest,
  context: AccessContext,
  missingScope: () => AccessAnswer,
): Promise<Change> {
  const admitted = await context.admit(request)
  if (!admitted.ok) return admitted
  const parameters = readChange(splitTarget(request.url).query)
  if (!parameters.ok) return parameters
  return admitted.claims.scopes.includes(adminScope) ? parameters : { ok: false, answer: missingScope() }
}

/** `bid` and `exp` of a query; of several the last counts. Pure. */
export function readChange(query: string): Change {
  const parameters = new URLSearchParams(query)
  const bookingId = parameters.getAll('bid').at(-1) ?? ''
  if (bookingId === '') return { ok: false, answer: refuse.missingParameter('bid') }
  const exp = parameters.getAll('exp').at(-1) ?? ''
  if (exp === '') return { ok: false, answer: refuse.missingParameter('exp') }
  if (
    !/^[+-]?[0-9]{1,19}$/.test(exp) ||
    BigInt.asIntN(64, BigInt(exp.replace('+', ''))) !== BigInt(exp.replace('+', ''))
  ) {
    return { ok: false, answer: refuse.notAnInteger('exp', exp) }
  }
  return { ok: true, bookingId, untilSec: BigInt(exp.replace('+', '')) }
}
