import type { Server } from 'node:http'
import type { Cancel } from '@relay/common/clock'
import { OneTimeCodes } from '@relay/common/one-time-codes'
import type { WatchedPart } from '@relay/common/watchdog'
import type { Registry } from 'prom-client'
import { AccessServer } from '@relay/common/server/access/access-server'
import { ClientAddress } from '@relay/common/server/client-address'
import type { RelayConfig } from './config.ts'
import { BookingLists } from '@relay/common/server/booking-lists'
import { sessionApi } from './access/session-api.ts'
import { admitWebsocket, upgradeRefusals, websocketPrefix } from './exchange/admission.ts'
import { Exchange } from './exchange/exchange.ts'
import type { Permission } from './exchange/permission.ts'
import { relayUpgrader, type RelaySocket } from './exchange/relay-socket.ts'
import { ByteLimitPolicy } from './exchange/slow-reader-policy.ts'
import { KeySource } from '@relay/common/server/key-source'
import { listenForMetrics } from '@relay/common/server/listen-for-metrics'
import type { ServerDeps } from '@relay/common/server/serve'
import { WebsocketPort } from '@relay/common/server/websocket/websocket-port'
import { relayMetrics } from './relay-metrics.ts'
import { LossLog } from './status/loss-log.ts'
import { StatsTopic } from '@relay/common/server/stats/stats-topic'
import { relayStatusLine } from './status/status-line.ts'
import { StatusReporter } from './status/status-reporter.ts'

/** Where a relay listens. */
export interface RelayPorts {
  readonly access: number
  readonly relay: number
  /** 0: not served. */
  readonly metrics: number
}

/** Life of a one-time code (spec session 5). */
const codeLifetimeMs = 30_000
/** How often the log says what slow viewers lost. */
const reportLossEveryMs = 10_000
/** Spec session 6.5. */
const liveness = { pingEveryMs: 54_000, pongWithinMs: 60_000 }

/** The whole relay: builds every part, starts them, and ends them in order. */
export class Relay {
  readonly exchange: Exchange
  readonly #config: RelayConfig
  readonly #deps: ServerDeps
  readonly #codes: OneTimeCodes<Permission>
  readonly #bookings: BookingLists
  readonly #keys: KeySource
  readonly #relayServer: WebsocketPort<Permission, RelaySocket>
  readonly #accessServer: AccessServer
  readonly #statsTopic: StatsTopic
  readonly #stopped = new AbortController()
  #isDraining = false
  #watching: Promise<void> = Promise.resolve()
  #metricsServer: Server | undefined
  #cancelTidy: Cancel | undefined
  #cancelLossLog: Cancel | undefined
  readonly #lossLog: LossLog

  private constructor(config: RelayConfig, deps: ServerDeps, parts: RelayParts) {
    this.#config = config
    this.#deps = deps
    this.exchange = parts.exchange
    this.#codes = parts.codes
    this.#bookings = parts.bookings
    this.#keys = parts.keys
    this.#relayServer = parts.relayServer
    this.#accessServer = parts.accessServer
    this.#statsTopic = parts.statsTopic
    this.#lossLog = new LossLog(parts.exchange, deps.log)
  }

  /** Refused requests of the access API since the start, by reason. */
  get refusedRequests(): AccessServer['refused'] {
    return this.#accessServer.refused
  }

  /** What owes progress to the watchdog. */
  get parts(): readonly WatchedPart[] {
    return [
      { name: 'deadlines of connections', progress: this.exchange.progress },
      { name: 'keys', progress: this.#keys.progress },
    ]
  }

  /** For people, one line. */
  statusLine(): string {
    const { connections, topicCount } = this.exchange
    return relayStatusLine({
      connections: connections.size,
      topics: topicCount,
      codes: this.#codes.size,
      isDraining: this.#isDraining,
    })
  }

  /** Reads secrets and key files now. What cannot be read keeps its last state. Never rejects. */
  async rereadKeys(): Promise<void> {
    await this.#keys.reread()
  }

  /** Builds a relay that does nothing yet. */
  static async create(config: RelayConfig, deps: ServerDeps): Promise<Relay> {
    return new Relay(config, deps, await buildParts(config, deps))
  }

  /**
   * Reads the keys and listens on all ports; when one of them cannot be had, on none.
   * @throws {ConfigError} about keys; {UnavailableError} about ports.
   */
  async start(): Promise<RelayPorts> {
    await this.#keys.load()
    try {
      const access = await this.#accessServer.listen()
      const relay = await this.#relayServer.listen()
      const metrics = await this.#listenForMetrics()
      this.exchange.start()
      this.#statsTopic.start()
      this.#tidyLater()
      this.#reportLossLater()
      this.#watching = this.#keys.watch(this.#stopped.signal)
      return { access, relay, metrics }
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** Takes nobody in any more, lets what is open end within the configured time, and frees everything. */
  async stop(): Promise<void> {
    this.#isDraining = true
    this.#accessServer.startDraining()
    this.#relayServer.stopAccepting()
    this.#statsTopic.stop()
    await this.exchange.drain(this.#config.drainWithin)
    this.exchange.stop()
    this.#relayServer.close()
    await this.#accessServer.close()
    this.#cancelTidy?.()
    this.#cancelLossLog?.()
    this.#lossLog.report()
    this.#stopped.abort()
    await this.#watching
    this.#metricsServer?.close()
    this.#metricsServer?.closeAllConnections()
  }

  async #listenForMetrics(): Promise<number> {
    const { ports, metrics, isMetricsPortGiven } = this.#config
    const { log, sockets } = this.#deps
    const registry = (): Registry =>
      relayMetrics({
        exchange: this.exchange,
        relayServer: this.#relayServer,
        accessServer: this.#accessServer,
        codes: this.#codes,
        keys: () => ({
          secrets: this.#keys.ring.secrets.length,
          publicKeys: this.#keys.ring.publicKeys.size,
        }),
      })
    this.#metricsServer = await listenForMetrics(registry, {
      host: metrics.host,
      port: ports.metrics,
      isPortGiven: isMetricsPortGiven,
      fd: sockets?.metrics,
      log,
    })
    return this.#metricsServer === undefined ? 0 : ports.metrics
  }

  #reportLossLater(): void {
    this.#cancelLossLog = this.#deps.clock.after(reportLossEveryMs, () => {
      this.#lossLog.report()
      this.#reportLossLater()
    })
  }

  #tidyLater(): void {
    this.#cancelTidy = this.#deps.clock.after(this.#config.tidyEvery, () => {
      this.#bookings.tidy()
      this.#tidyLater()
    })
  }
}

interface RelayParts {
  readonly exchange: Exchange
  readonly codes: OneTimeCodes<Permission>
  readonly bookings: BookingLists
  readonly keys: KeySource
  readonly relayServer: WebsocketPort<Permission, RelaySocket>
  readonly accessServer: AccessServer
  readonly statsTopic: StatsTopic
}

async function buildParts(config: RelayConfig, deps: ServerDeps): Promise<RelayParts> {
  const { clock, log } = deps
  const { access, relay } = config
  const { sockets = {} } = deps
  const codes = new OneTimeCodes<Permission>({ lifetimeMs: codeLifetimeMs, maxCodes: relay.maxCodes }, clock)
  const bookings = new BookingLists({ maxEntries: relay.maxBookings }, clock)
  const clientAddress = new ClientAddress(config.trustedProxies)
  const policy = new ByteLimitPolicy({
    maxBufferedBytes: relay.maxBufferedBytes,
    maxBufferedTextBytes: relay.maxBufferedTextBytes,
    stalledAfterMs: relay.stalledAfter,
  })
  const exchange = new Exchange(
    {
      policy,
      maxRetainedBytes: relay.maxRetainedBytes,
      maxUnfinishedBytes: relay.maxUnfinishedBytes,
      liveness,
    },
    { clock, log },
  )
  const keys = new KeySource(
    {
      secret: config.secret,
      secretFiles: config.secretFiles,
      keyDirectory: config.keyDirectory,
      credentialsDirectory: deps.credentialsDirectory,
      everyMs: config.keysEvery,
    },
    {
      clock,
      log,
      onRetired: (keyIds) => {
        const isRetired = ({ keyId }: Permission): boolean => keyId !== undefined && keyIds.has(keyId)
        codes.deleteWhere(isRetired)
        exchange.closeWhere(isRetired, 'retired')
      },
    },
  )
  const limits = {
    maxConnections: relay.maxConnections,
    maxConnectionsPerSubject: relay.maxConnectionsPerSubject,
  }
  const shared = { clock, log, codes, bookings, exchange }
  const relayServer = new WebsocketPort<Permission, RelaySocket>(
    {
      port: config.ports.relay,
      host: relay.host,
      fd: sockets.relay,
      maxConnections: limits.maxConnections,
      prefixes: [websocketPrefix],
      refusals: upgradeRefusals,
    },
    {
      log,
      clientAddress,
      upgrader: relayUpgrader(),
      admit: (address) =>
        admitWebsocket(address, limits, {
          ...shared,
          isKeyValid: (keyId) => keys.ring.publicKeys.has(keyId),
        }),
      join: (joining) => exchange.join(joining),
    },
  )
  const reporter = new StatusReporter(exchange, { clock, generation: config.generation })
  const accessServer = await AccessServer.create(
    {
      port: config.ports.access,
      host: access.host,
      fd: sockets.access,
      audience: config.audience,
      bearer: 'allowed',
      corsOrigins: access.corsOrigins,
      addressLimit: { max: access.addressRequests, perMs: access.per },
      refusedLimit: { max: access.refusedRequests, perMs: access.per },
    },
    sessionApi(
      {
        target: config.url,
        allowNoBookingId: config.isBookingIdOptional,
        subjectLimit: { max: access.subjectRequests, perMs: access.per },
        ...limits,
      },
      { ...shared, keys: () => keys.ring, status: reporter },
    ),
    { clock, log, keys: () => keys.ring, clientAddress },
  )
  const statsTopic = new StatsTopic({ everyMs: config.statsEvery }, { exchange, reporter, clock })
  return { exchange, codes, bookings, keys, relayServer, accessServer, statsTopic }
}
