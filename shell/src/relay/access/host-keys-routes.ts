import { jsonAnswer } from '@relay/common/server/access/access-answer'
import type { AccessContext } from '@relay/common/server/access/access-server'
import type { BookingLists } from '@relay/common/server/booking-lists'
import type { FastifyInstance } from 'fastify'
import type { ExchangeForAccess } from '../exchange/exchange-port.ts'
import { connectPaths } from './connect-routes.ts'
import { describeHostKeysRoute } from './openapi.ts'
import { readUse } from './read-use.ts'
import { refuseHostKeys, refuseUse } from './shell-answer.ts'

export interface HostKeysRoutesDeps {
  readonly bookings: Pick<BookingLists, 'isDenied'>
  readonly exchange: Pick<ExchangeForAccess, 'hostKeysOf'>
}

/** `GET …/<id>/host-keys` (PROTOCOL.md): the ssh host keys that the host of an id told, for tokens of that id. */
export function addHostKeysRoutes(
  app: FastifyInstance,
  { admit, send }: AccessContext,
  { bookings, exchange }: HostKeysRoutesDeps,
): void {
  for (const style of ['shell', 'connect'] as const) {
    app.get<{ Params: { id: string } }>(
      `${connectPaths[style]}/:id/host-keys`,
      { schema: describeHostKeysRoute },
      async (request, reply) => {
        const admitted = await admit(request)
        if (!admitted.ok) return send(reply, admitted.answer)
        const { id } = request.params
        const use = readUse(admitted.claims, id)
        if (typeof use === 'object') return send(reply, refuseUse(use.refusal, style))
        if (bookings.isDenied(admitted.claims.bookingId))
          return send(reply, refuseUse('bookingDenied', style))
        const told = use === 'stats' ? undefined : exchange.hostKeysOf(id)
        // A member that is undefined is left out.
        return send(reply, told === undefined ? refuseHostKeys() : jsonAnswer(told))
      },
    )
  }
}
