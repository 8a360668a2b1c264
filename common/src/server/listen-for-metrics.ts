import type { Server } from 'node:http'
import type { Registry } from 'prom-client'
import { UnavailableError } from '../errors.ts'
import type { Log } from '../log.ts'
import { serveMetrics } from '../metrics-server.ts'

export interface ListenForMetricsOptions {
  readonly host: string
  /** 0: none. */
  readonly port: number
  /** Whether somebody asked for metrics on just that port. */
  readonly isPortGiven: boolean
  /** A socket that listens already, in place of host and port. */
  readonly fd: number | undefined
  readonly log: Log
}

/**
 * Serves the metrics of a server and gives what is to be closed; undefined where they are not wanted, or where their
 * usual port is taken, which the log says.
 * @throws {UnavailableError} when a port that was asked for cannot be had.
 */
export async function listenForMetrics(
  registry: () => Registry,
  { host, port, isPortGiven, fd, log }: ListenForMetricsOptions,
): Promise<Server | undefined> {
  if (port === 0 && fd === undefined) return undefined
  try {
    return await serveMetrics(registry(), { host, port, fd })
  } catch (error) {
    if (isPortGiven || fd !== undefined || !(error instanceof UnavailableError)) throw error
    log.warn({ error }, 'metrics are not served: their usual port is taken')
    return undefined
  }
}
