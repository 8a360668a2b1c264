import type { Clock } from '@relay/common/clock'
import type { Log } from '@relay/common/log'
import type { Environment } from '@relay/common/proxy'
import type { AgentStatus } from './agent-status.ts'
import type { AgentConfig } from './config.ts'
import { FeedHub } from './feeds/feed-hub.ts'
import { DestinationRules, StreamRules } from './feeds/rules.ts'
import { Instrument } from './instrument/instrument.ts'
import { instrumentOptions } from './instrument/instrument-options.ts'
import { LocalApi } from './local-api/local-api.ts'
import { prepareRule } from './start-rule.ts'
import { topicUrl } from './uplink/destination.ts'
import { tokenFile } from './uplink/token-source.ts'
import { Uplink, type UplinkLimits } from './uplink/uplink.ts'
import { Camera } from './video/camera.ts'
import { cameraOptions } from './video/camera-options.ts'

export interface AgentOptions {
  readonly config: AgentConfig
  /** A rule of the program itself (`VW_API`); it survives "delete all". */
  readonly apiDestination: string
}

export interface AgentDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly environment: Environment
}

/** A part that runs until it is told to stop. */
interface Part {
  readonly what: string
  run(signal: AbortSignal): Promise<void>
}

/** Id of the rule that `VW_API` makes (spec session 2.2). */
const apiRuleId = 'apiRule'

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

  constructor(options: AgentOptions, deps: AgentDeps) {
    const { config } = options
    const { log } = deps
    this.#options = options
    this.#deps = deps
    this.hub = new FeedHub(({ member, error }) => log.error({ member, error }, 'a member of a feed failed'))
    const parts = { hub: this.hub, ...deps }
    const limits = uplinkLimits(config)
    const ruleOptions = {
      limits,
      recordingDirectory: config.recordings.directory,
      maxRecordingBytes: config.recordings.maxSize,
    }
    this.#streams = new StreamRules(this.hub)
    this.#destinations = new DestinationRules({
      prepare: (rule) => prepareRule(rule, ruleOptions, { ...parts, uplinks: this.#ruleUplinks }),
      keptIds: new Set([apiRuleId]),
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
            delivery,
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
      cameras: this.#cameras.map((camera) => camera.status()),
      instruments: this.#instruments.map((instrument) => instrument.status()),
      uplinks: [...this.#uplinks, ...this.#ruleUplinks].map((uplink) => uplink.status()),
      localApi: this.#localApi?.status,
    }
  }

  /**
   * Runs everything until `signal` aborts, then ends everything.
   * @throws {UnavailableError} when the local API or the metrics cannot listen: nothing is running then.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { config, apiDestination } = this.#options
    await using servers = new AsyncDisposableStack()
    servers.defer(() => this.#destinations.close())
    await this.#serve(servers)
    for (const stream of config.streams) this.#streams.put(stream)
    if (apiDestination !== '')
      this.#destinations.put({
        id: apiRuleId,
        stream: 'api',
        destination: apiDestination,
        token: '',
        file: '',
      })
    const parts: readonly Part[] = [
      ...this.#cameras.map((camera) => ({ what: camera.name, run: (s: AbortSignal) => camera.run(s) })),
      ...this.#instruments.map((part) => ({ what: part.name, run: (s: AbortSignal) => part.run(s) })),
      ...this.#uplinks.map((part) => ({ what: part.name, run: (s: AbortSignal) => part.run(s) })),
    ]
    this.#deps.log.info(
      { cameras: this.#cameras.length, instruments: this.#instruments.length, topics: this.#uplinks.length },
      'agent is running',
    )
    await Promise.all([...parts.map((part) => this.#guard(part, signal)), aborted(signal)])
  }

  /** A bug in one part is logged and ends that part alone. */
  async #guard(part: Part, signal: AbortSignal): Promise<void> {
    try {
      await part.run(signal)
    } catch (error) {
      this.#deps.log.error({ part: part.what, error }, 'a part of the agent ended by a fault')
    }
  }

  async #serve(servers: AsyncDisposableStack): Promise<void> {
    const { config } = this.#options
    const { clock, log } = this.#deps
    const { enabled, host, port, allowedHosts, allowedOrigins } = config.localApi
    if (enabled) {
      const api = await LocalApi.open(
        { host: host === '*' ? undefined : host, port, allowedHosts, allowedOrigins },
        { hub: this.hub, destinations: this.#destinations, streams: this.#streams, clock, log },
      )
      this.#localApi = api
      servers.defer(() => api.close())
      log.info({ host, port: api.port }, 'local API is served')
    }
    if (config.metrics.port !== 0) {
      // Loaded only where they are wanted: they cost memory.
      const [{ serveMetrics }, { agentMetrics }] = await Promise.all([
        import('@relay/common/metrics-server'),
        import('./agent-metrics.ts'),
      ])
      const server = await serveMetrics(
        agentMetrics(() => this.status()),
        config.metrics,
      )
      servers.defer(async () => {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      })
    }
  }
}

function uplinkLimits({ uplink }: AgentConfig): UplinkLimits {
  return {
    maxBufferedBytes: uplink.maxBuffered,
    maxLagMs: uplink.maxLag,
    queueBytes: uplink.queueSize,
    queueAgeMs: uplink.queueAge,
  }
}

/** Resolves when `signal` aborts. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
