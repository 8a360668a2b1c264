import { type PlainAnswer, serveMetrics } from '@relay/common/metrics-server'
import { agentMetrics } from '../agent-metrics.ts'
import { guardRequest, isLoopbackAddress } from '../local-api/guard-request.ts'
import type { OpenServer } from './kept-server.ts'
import type { StatusReport } from './status-report.ts'

export interface OpenMetricsOptions {
  readonly host: string
  readonly port: number
}

export interface OpenMetricsDeps {
  readonly report: () => StatusReport
  /** What is served beside the metrics, by path. */
  readonly answers: Readonly<Record<string, () => PlainAnswer>>
}

/**
 * Serves metrics, status and probes. Where they are for this machine alone, a page in a browser of it cannot read them
 * under a name that was made to point here.
 * @throws {UnavailableError} as `listen` does.
 */
export async function openMetrics(
  { host, port }: OpenMetricsOptions,
  { report, answers }: OpenMetricsDeps,
): Promise<OpenServer> {
  const isForThisMachine = host === 'localhost' || isLoopbackAddress(host)
  const server = await serveMetrics(agentMetrics(report), {
    host,
    port,
    more: answers,
    ...(isForThisMachine ? { refusalOf: refusalOfForeignName } : {}),
  })
  return {
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

function refusalOfForeignName(host: string | undefined): string | undefined {
  const policy = { hostNames: new Set<string>(), allowsAnyAddress: true, origins: new Set<string>() }
  const isOwn = guardRequest({ host, origin: undefined, fetchSite: undefined }, policy).ok
  return isOwn ? undefined : 'the Host header does not name this machine; use localhost'
}
