import type { Server } from 'node:http'
import type { Cancel } from '@relay/common/clock'
import { OneTimeCodes } from '@relay/common/one-time-codes'
import { AccessServer } from '@relay/common/server/access/access-server'
import { BookingLists } from '@relay/common/server/booking-lists'
import { ClientAddress } from '@relay/common/server/client-address'
import { KeySource } from '@relay/common/server/key-source'
import { listenForMetrics } from '@relay/common/server/listen-for-metrics'
import type { ServerDeps, StartableServer } from '@relay/common/server/serve'
import { StatsTopic } from '@relay/common/server/stats/stats-topic'
import { WebsocketPort } from '@relay/common/server/websocket/websocket-port'
import type { WatchedPart } from '@relay/common/watchdog'
import { shellApi } from './access/shell-api.ts'
import type { ShellRelayConfig } from './config.ts'
import { admitLink, upgradeRefusals, websocketPrefixes } from './exchange/admission.ts'
import { Exchange } from './exchange/exchange.ts'
import { usualFlow, usualLinkTimes } from './exchange/exchange-options.ts'
import { type LinkSocket, linkUpgrader } from './exchange/link-socket.ts'
import type { Permission } from './exchange/permission.ts'
import { shellMetrics } from './shell-metrics.ts'
import { ShellReporter } from './status/shell-reporter.ts'
import { shellStatusLine } from './status/shell-status-line.ts'

/** Where a shell relay listens. */
export interface ShellRelayPorts {
  readonly access: number
  readonly relay: number
  /** 0: not served. */
  readonly metrics: number
}

/** Life of a one-time code: old ends may need 29 s (spec shell 3 and 8.3). */
const codeLifetimeMs = 30_000
/** A host that was alerted and has not dialled by then is passed over, where there is another. */
const dialWithinMs = 10_000

/** The whole shell relay: builds every part, starts them, and ends them in order. */
export class ShellRelay implements StartableServer {
  readonly exchange: Exchange
  readonly #config: ShellRelayConfig
  readonly #deps: ServerDeps
  readonly #codes: OneTimeCodes<Permission>
  readonly #bookings: BookingLists
  readonly #keys: KeySource
  readonly #port: WebsocketPort<Permission, LinkSocket>
  readonly #accessServer: AccessServer
  readonly #statsTopic: StatsTopic
  readonly #stopped = new AbortController()
  #isDraining = false
  #watching: Promise<void> = Promise.resolve()
  #metricsServer: Server | undefined
  #cancelTidy: Cancel | undefined

  private constructor(config: ShellRelayConfig, deps: ServerDeps, parts: ShellRelayParts) {
    this.#config = config
    this.#deps = deps
    this.exchange = parts.exchange
    this.#codes = parts.codes
    this.#bookings = parts.bookings
    this.#keys = parts.keys
    this.#port = parts.port
    this.#accessServer = parts.accessServer
    this.#statsTopic = parts.statsTopic
  }

  /** Builds a shell relay that does nothing yet. */
  static async create(config: ShellRelayConfig, deps: ServerDeps): Promise<ShellRelay> {
    return new ShellRelay(config, deps, await buildParts(config, deps))
  }

  /** Refused requests of the access API since the start, by reason. */
  get refusedRequests(): Readonly<Record<string, number>> {
    return this.#accessServer.refused
  }

  /** Refused websockets since the start, by reason. */
  get refusedUpgrades(): Readonly<Record<string, number>> {
    return this.#port.refused
  }

  get parts(): readonly WatchedPart[] {
    return [
      { name: 'deadlines of connections', progress: this.exchange.progress },
      { name: 'keys', progress: this.#keys.progress },
    ]
  }

  statusLine(): string {
    const { links, hosts, pairs } = this.exchange
    return shellStatusLine({
      hosts: hosts.onlineIds,
      sessions: pairs.size,
      connections: links.size,
      codes: this.#codes.size,
      isDraining: this.#isDraining,
    })
  }

  async rereadKeys(): Promise<void> {
    await this.#keys.reread()
  }

  /**
   * Reads the keys and listens on all ports; when one of them cannot be had, on none.
   * @throws {ConfigError} about keys; {UnavailableError} about ports.
   */
  async start(): Promise<ShellRelayPorts> {
    await this.#keys.load()
    try {
      const access = await this.#accessServer.listen()
      const relay = await this.#port.listen()
      const metrics = await this.#listenForMetrics()
      this.exchange.start()
      this.#statsTopic.start()
      this.#tidyLater()
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
    this.#port.stopAccepting()
    this.#statsTopic.stop()
    await this.exchange.drain(this.#config.drainWithin)
    this.exchange.stop()
    this.#port.close()
    await this.#accessServer.close()
    this.#cancelTidy?.()
    this.#stopped.abort()
    await this.#watching
    this.#metricsServer?.close()
    this.#metricsServer?.closeAllConnections()
  }

  async #listenForMetrics(): Promise<number> {
    const { ports, metrics, isMetricsPortGiven } = this.#config
    const { log, sockets } = this.#deps
    this.#metricsServer = await listenForMetrics(
      () =>
        shellMetrics({
          exchange: this.exchange,
          port: this.#port,
          access: this.#accessServer,
          codes: this.#codes,
          keys: () => ({
            secrets: this.#keys.ring.secrets.length,
            publicKeys: this.#keys.ring.publicKeys.size,
          }),
        }),
      {
        host: metrics.host,
        port: ports.metrics,
        isPortGiven: isMetricsPortGiven,
        fd: sockets?.metrics,
        log,
      },
    )
    return this.#metricsServer === undefined ? 0 : ports.metrics
  }

  #tidyLater(): void {
    this.#cancelTidy = this.#deps.clock.after(this.#config.tidyEvery, () => {
      this.#bookings.tidy()
      this.#tidyLater()
    })
  }
}

interface ShellRelayParts {
  readonly exchange: Exchange
  readonly codes: OneTimeCodes<Permission>
  readonly bookings: BookingLists
  readonly keys: KeySource
  readonly port: WebsocketPort<Permission, LinkSocket>
  readonly accessServer: AccessServer
  readonly statsTopic: StatsTopic
}

async function buildParts(config: ShellRelayConfig, deps: ServerDeps): Promise<ShellRelayParts> {
  const { clock, log, sockets = {} } = deps
  const { access, relay } = config
  const codes = new OneTimeCodes<Permission>({ lifetimeMs: codeLifetimeMs, maxCodes: relay.maxCodes }, clock)
  const bookings = new BookingLists({ maxEntries: relay.maxBookings }, clock)
  const clientAddress = new ClientAddress(config.trustedProxies)
  const exchange = buildExchange(config, deps, codes)
  const keys = buildKeys(config, deps, (keyIds) => {
    codes.deleteWhere(({ keyId }) => keyId !== undefined && keyIds.has(keyId))
    exchange.closeOfKeys(keyIds)
  })
  const shared = { clock, log, codes, bookings, exchange }
  const isKeyValid = (keyId: string): boolean => keys.ring.publicKeys.has(keyId)
  const port = new WebsocketPort<Permission, LinkSocket>(
    {
      port: config.ports.relay,
      host: relay.host,
      fd: sockets.relay,
      maxConnections: relay.maxConnections,
      prefixes: websocketPrefixes,
      refusals: upgradeRefusals,
    },
    {
      log,
      clientAddress,
      upgrader: linkUpgrader(),
      admit: (address, peer) => admitLink(address, peer, { ...shared, isKeyValid }),
      join: (joining) => exchange.join(joining),
    },
  )
  const reporter = new ShellReporter(exchange, clock)
  const accessServer = await AccessServer.create(
    {
      port: config.ports.access,
      host: access.host,
      fd: sockets.access,
      audience: config.audience,
      bearer: 'refused',
      corsOrigins: access.corsOrigins,
      addressLimit: { max: access.addressRequests, perMs: access.per },
      refusedLimit: { max: access.refusedRequests, perMs: access.per },
    },
    shellApi(
      { target: config.url, subjectLimit: { max: access.subjectRequests, perMs: access.per } },
      { ...shared, keys: () => keys.ring, status: () => reporter.stats() },
    ),
    { clock, log, keys: () => keys.ring, clientAddress },
  )
  const statsTopic = new StatsTopic(
    { everyMs: config.statsEvery },
    { exchange: exchange.readers, reporter, clock },
  )
  return { exchange, codes, bookings, keys, port, accessServer, statsTopic }
}

function buildExchange(
  { url, relay }: ShellRelayConfig,
  { clock, log }: ServerDeps,
  codes: OneTimeCodes<Permission>,
): Exchange {
  return new Exchange(
    {
      target: url,
      limits: {
        maxConnections: relay.maxConnections,
        maxSessionsPerId: relay.maxSessionsPerId,
        maxSessionsPerAddress: relay.maxSessionsPerAddress,
        maxHostsPerId: relay.maxHostsPerId,
        maxWaitingPerId: relay.maxWaitingPerId,
        maxWaitingBytes: relay.maxRetainedBytes,
        maxUnfinishedBytes: relay.maxUnfinishedBytes,
      },
      flow: { ...usualFlow, oldBytes: relay.maxOldBufferedBytes },
      linkTimes: { ...usualLinkTimes, stalledAfterMs: relay.stalledAfter },
      pairTimes: { dialWithinMs, codeLifetimeMs, waitForHostMs: relay.waitForHost },
    },
    { clock, log, codes },
  )
}

function buildKeys(
  config: ShellRelayConfig,
  { clock, log, credentialsDirectory }: ServerDeps,
  onRetired: (keyIds: ReadonlySet<string>) => void,
): KeySource {
  return new KeySource(
    {
      secret: config.secret,
      secretFiles: config.secretFiles,
      keyDirectory: config.keyDirectory,
      credentialsDirectory,
      everyMs: config.keysEvery,
    },
    { clock, log, onRetired },
  )
}
