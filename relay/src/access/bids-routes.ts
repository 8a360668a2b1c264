import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { splitTarget } from '../request-path.ts'
import { type AccessAnswer, jsonAnswer, refuse } from './access-answer.ts'
import type { AccessContext } from './access-server.ts'
import { describeBidsChange, describeBidsList } from './openapi.ts'

const adminScope = 'relay:admin'

type Send = (reply: FastifyReply, answer: AccessAnswer) => FastifyReply

/** `/bids/deny` and `/bids/allow` (spec session 10.4): which bookings may not, or may again, connect. */
export function addBidsRoutes(app: FastifyInstance, context: AccessContext, send: Send): void {
  const { bookings, exchange, codes } = context.deps
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
    if (isOver(untilSec, context)) return send(reply, refuse.denialInThePast(untilSec))
    if (!bookings.deny(bookingId, Number(untilSec))) return send(reply, refuse.denyListFull())
    const deletedCodes = codes.deleteWhere((permission) => permission.bookingId === bookingId)
    const closedConnections = exchange.closeBooking(bookingId)
    context.deps.log.info({ bookingId, deletedCodes, closedConnections }, 'booking denied')
    return send(reply, noContent)
  })

  app.post('/bids/allow', { schema: describeBidsChange('/bids/allow') }, async (request, reply) => {
    const change = await admitChange(request, context, refuse.missingAdminScope)
    if (!change.ok) return send(reply, change.answer)
    const { bookingId, untilSec } = change
    if (isOver(untilSec, context)) return send(reply, refuse.allowanceInThePast())
    bookings.allow(bookingId, Number(untilSec))
    context.deps.log.info({ bookingId }, 'booking allowed')
    return send(reply, noContent)
  })
}

const noContent: AccessAnswer = { status: 204, body: '' }

function isOver(untilSec: bigint, { deps }: AccessContext): boolean {
  return untilSec < BigInt(Math.floor(deps.clock.nowMs() / 1000))
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
