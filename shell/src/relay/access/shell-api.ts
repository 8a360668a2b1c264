import type { AccessApi } from '@relay/common/server/access/access-server'
import { commonPaths } from '@relay/common/server/access/access-path'
import { addBidsRoutes, type BidsDeps } from '@relay/common/server/access/bids-routes'
import { addStatusRoute } from '@relay/common/server/access/status-route'
import { addConnectRoutes, type ConnectRoutesDeps, type ConnectRoutesOptions } from './connect-routes.ts'
import { addHostKeysRoutes } from './host-keys-routes.ts'
import { apiDocuments, linkStatus } from './openapi.ts'
import { accessRefusals, refuseToken } from './shell-answer.ts'

export interface ShellApiDeps extends ConnectRoutesDeps, Pick<BidsDeps, 'log'> {
  /** Every link at this moment. */
  readonly status: () => readonly object[]
}

/** What the shell relay serves on its access port (spec shell 4 and 9.1, PROTOCOL.md). */
export function shellApi(options: ConnectRoutesOptions, deps: ShellApiDeps): AccessApi {
  const { bookings, clock, codes, exchange, log, status } = deps
  return {
    paths: {
      ...commonPaths,
      '/shell/*': ['POST'],
      '/api/v1/connect/*': ['POST'],
      '/shell/*/host-keys': ['GET'],
      '/api/v1/connect/*/host-keys': ['GET'],
    },
    refusals: accessRefusals,
    documents: apiDocuments,
    refuseToken,
    addRoutes: (app, context) => {
      addConnectRoutes(app, context, options, deps)
      addHostKeysRoutes(app, context, deps)
      addBidsRoutes(app, context, {
        clock,
        log,
        bookings,
        endBooking: (bookingId) => ({
          deletedCodes: codes.deleteWhere((permission) => permission.bookingId === bookingId),
          closedConnections: exchange.closeBooking(bookingId),
        }),
      })
      addStatusRoute(app, context, { connection: linkStatus, status })
    },
  }
}
