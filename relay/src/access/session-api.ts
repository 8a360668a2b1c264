import type { AccessApi } from '@relay/common/server/access/access-server'
import { commonPaths } from '@relay/common/server/access/access-path'
import { addBidsRoutes, type BidsDeps } from '@relay/common/server/access/bids-routes'
import { addStatusRoute } from '@relay/common/server/access/status-route'
import type { StatusReporter } from '../status/status-reporter.ts'
import { apiDocuments, connectionStatus } from './openapi.ts'
import { accessRefusals } from './session-answer.ts'
import { addSessionRoute, type SessionRouteDeps, type SessionRouteOptions } from './session-route.ts'

export interface SessionApiDeps extends SessionRouteDeps, Pick<BidsDeps, 'log'> {
  readonly status: StatusReporter
}

/** What the relay serves on its access port (spec session 4 and 10.4). */
export function sessionApi(options: SessionRouteOptions, deps: SessionApiDeps): AccessApi {
  const { bookings, clock, codes, exchange, log, status } = deps
  return {
    paths: { ...commonPaths, '/session/*': ['POST'] },
    refusals: accessRefusals,
    documents: apiDocuments,
    addRoutes: (app, context) => {
      addSessionRoute(app, context, options, deps)
      addBidsRoutes(app, context, {
        clock,
        log,
        bookings,
        endBooking: (bookingId) => ({
          deletedCodes: codes.deleteWhere((permission) => permission.bookingId === bookingId),
          closedConnections: exchange.closeBooking(bookingId),
        }),
      })
      addStatusRoute(app, context, { connection: connectionStatus, status: () => status.status() })
    },
  }
}
