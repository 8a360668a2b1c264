import { aborted, type Clock } from '@relay/common/clock'
import { keepConnected, type Retry, type RetryPolicy } from '@relay/common/keep-connected'
import type { Log } from '@relay/common/log'
import type { Environment } from '@relay/common/proxy'
import type { AgentStatus } from './agent-status.ts'
import type { AgentConfig } from './config.ts'
import { HealthDesk } from './health/health-desk.ts'
import { FeedHub } from './feeds/feed-hub.ts'
import { type DestinationRule, DestinationRules, StreamRules } from './feeds/rules.ts'
import { Instrument } from './instrument/instrument.ts'
import { instrumentOptions } from './instrument/instrument-options.ts'
import { apiRuleId, type ErrorTexts } from './local-api/admin-command.ts'
import { LocalApi } from './local-api/local-api.ts'
import { prepareRule } from './start-rule.ts'
import { deliveryOf } from './uplink/delivery-of.ts'
import { shownUrl, topicUrl } from './uplink/destination.ts'
import { tokenFile } from './uplink/token-source.ts'
import { Uplink, type UplinkLimits } from './uplink/uplink.ts'
import { Camera } from './video/camera.ts'
import { agentVersion } from './version.ts'
import { cameraOptions } from './video/camera-options.ts'

export interface AgentOptions {
  readonly config: AgentConfig
  /** A rule of the program itself (`VW_API`); it survives "delete all". */
  readonly apiDestination: string
  readonly errorTexts: ErrorTexts
  /** Without its local API this program is of no use. */
  readonly requiresLocalApi: boolean
}

export interface AgentDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly environment: Environment
}

/** A part that runs until it is told to stop. */
interface Part {
  readonly name: string
  run(signal: AbortSignal): Promise<void>
}

/** All parts have ended by then; the whole program ends within 5 s. */
const endWithinMs = 3_500
const serverPolicy: RetryPolicy = { minMs: 1_000, maxMs: 60_000, stableAfterMs: 60_000 }

/**
 * The agent: makes every part and hands it what it needs.
 *
 * Invariants: a part that fails takes no other with it; when `run` has resolved, no process, socket or port is left.
 */
export class Agent {
  readonly hub: FeedHub
  readonly #options: AgentOptions
  readonly #deps: AgentDeps
  readonly #destinations: DestinationRules
  readonly #streams: StreamRules
  readonly #cameras: readonly Camera[]
  readonly #instruments: readonly Instrument[]
  readonly #uplinks: readonly Uplink[]
  readonly #ruleUplinks = new Set<Uplink>()
  #localApi: LocalApi | undefined
  #phase: AgentStatus['phase'] = 'starting'
  readonly #health: HealthDesk

  constructor(options: AgentOptions, deps: AgentDeps) {
    const { config } = options
    const { log } = deps
    this.#options = options
    this.#deps = deps
    this.hub = new FeedHub(({ member, error }) =>
      // Uplinks have their address for a name, which may hold a code.
      log.error(
        { member: URL.canParse(member) ? shownUrl(member) : member, error },
        'a member of a feed failed',
      ),
    )
    this.#health = new HealthDesk({ status: () => this.status(), version: agentVersion, ...deps })
    const parts = { hub: this.hub, ...deps }
    const limits = uplinkLimits(config)
    const ruleOptions = {
      limits,
      recordingDirectory: config.recordings.directory,
      maxRecordingBytes: config.recordings.maxSize,
      deliveryOf: (feed: string) => deliveryOf({ feed, delivery: 'auto' }, config),
    }
    this.#streams = new StreamRules(this.hub)
    this.#destinations = new DestinationRules({
      prepare: (rule) => prepareRule(rule, ruleOptions, { ...parts, uplinks: this.#ruleUplinks }),
      keptIds: new Set(options.apiDestination === '' ? [] : [apiRuleId]),
    })
    this.#cameras = config.cameras.map(
      (camera) => new Camera(cameraOptions(camera, config.video.ffmpeg, deps.environment), parts),
    )
    this.#instruments = config.instruments.map(
      (instrument) => new Instrument(instrumentOptions(instrument), parts),
    )
    this.#uplinks = config.topics.map(
      ({ topic, feed, access, tokenFile: path, delivery }) =>
        new Uplink(
          {
            id: topic,
            feed,
            destination: topicUrl(access === '' ? config.relay.access : access, topic),
            token: tokenFile(path, deps.clock),
            delivery: deliveryOf({ feed, delivery }, config),
            limits,
            recorder: undefined,
          },
          parts,
        ),
    )
  }

  status(): AgentStatus {
    return {
      name: this.#options.config.name,
      phase: this.#phase,
      stuck: [],
      cameras: this.#cameras.map((camera) => camera.status()),
      instruments: this.#instruments.map((instrument) => instrument.status()),
      uplinks: [...this.#uplinks, ...this.#ruleUplinks].map((uplink) => uplink.status()),
      localApi: this.#localApi?.status,
    }
  }

  /**
   * Runs everything until `signal` aborts, then ends everything.
   * @throws {UnavailableError} with `requiresLocalApi`, when the local API cannot listen: nothing is running then.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { config, apiDestination, requiresLocalApi } = this.#options
    await using servers = new AsyncDisposableStack()
    servers.defer(() => this.#destinations.close())
    const parts: Part[] = [
      ...this.#cameras,
      ...this.#instruments,
      ...this.#uplinks,
      ...this.#health.parts(config),
    ]
    if (requiresLocalApi) {
      const api = await this.#openLocalApi()
      servers.defer(() => api.close())
    } else if (config.localApi.enabled) {
      parts.push(this.#server('local API', () => this.#openLocalApi()))
    }
    if (config.metrics.port !== 0) parts.push(this.#server('metrics', () => this.#openMetrics()))
    for (const stream of config.streams) this.#streams.put(stream)
    if (apiDestination !== '') this.#destinations.put(apiRule(apiDestination))
    this.#deps.log.info(
      {
        name: config.name,
        cameras: this.#cameras.length,
        instruments: this.#instruments.length,
        topics: this.#uplinks.length,
      },
      'agent is running',
    )
    const ended = Promise.all(parts.map((part) => this.#guard(part, signal)))
    this.#phase = 'running'
    await aborted(signal)
    this.#phase = 'stopping'
    await this.#withinGrace(ended)
  }

  /** A part that does not end must not keep the others, and the service manager, waiting. */
  async #withinGrace(ended: Promise<unknown>): Promise<void> {
    const { clock, log } = this.#deps
    const waiting = new AbortController()
    const late = clock.sleep(endWithinMs, waiting.signal).then(() => 'late' as const)
    const outcome = await Promise.race([ended, late])
    waiting.abort()
    if (outcome === 'late') log.error({ afterMs: endWithinMs }, 'a part of the agent did not end in time')
  }

  /** A bug in one part is logged and ends that part alone. */
  async #guard(part: Part, signal: AbortSignal): Promise<void> {
    try {
      await part.run(signal)
    } catch (error) {
      this.#deps.log.error({ part: part.name, error }, 'a part of the agent ended by a fault')
    }
  }

  /** A server as a part: a port in use does not keep the cameras from running, and is tried again. */
  #server(name: string, open: () => Promise<{ close(): Promise<void> }>): Part {
    const { clock, random, log } = this.#deps
    const serve = async (signal: AbortSignal): Promise<void> => {
      const server = await open()
      await aborted(signal)
      await server.close()
    }
    const onRetry = ({ delayMs, error }: Retry): void =>
      log.error({ part: name, delayMs, error }, 'it cannot be served now, will be tried again')
    return { name, run: (signal) => keepConnected(serve, serverPolicy, { clock, random, onRetry }, signal) }
  }

  async #openLocalApi(): Promise<LocalApi> {
    const { clock, log } = this.#deps
    const { host, port, allowedHosts, allowedOrigins } = this.#options.config.localApi
    const api = await LocalApi.open(
      {
        host: host === '*' ? undefined : host,
        port,
        allowedHosts,
        allowedOrigins,
        errorTexts: this.#options.errorTexts,
      },
      { hub: this.hub, destinations: this.#destinations, streams: this.#streams, clock, log },
    )
    this.#localApi = api
    log.info({ host, port: api.port }, 'local API is served')
    return api
  }

  async #openMetrics(): Promise<{ close(): Promise<void> }> {
    // Loaded only where they are wanted: they cost memory.
    const [{ serveMetrics }, { agentMetrics }] = await Promise.all([
      import('@relay/common/metrics-server'),
      import('./agent-metrics.ts'),
    ])
    const { metrics } = this.#options.config
    const server = await serveMetrics(agentMetrics(this.#health.report), {
      ...metrics,
      more: this.#health.answers,
    })
    this.#deps.log.info({ host: metrics.host, port: metrics.port }, 'metrics are served')
    return {
      close: async () => {
        const closed = new Promise((resolve) => server.close(resolve))
        server.closeAllConnections()
        await closed
      },
    }
  }
}

/** Changes of the rules by messages of that websocket, without a token (spec session 2.2 and 7.7). */
function apiRule(destination: string): DestinationRule {
  return { id: apiRuleId, stream: 'api', destination, token: '', file: '' }
}

function uplinkLimits({ uplink }: AgentConfig): UplinkLimits {
  return {
    maxBufferedBytes: uplink.maxBuffered,
    maxLagMs: uplink.maxLag,
    queueBytes: uplink.queueSize,
    queueAgeMs: uplink.queueAge,
  }
}
