import { aborted, type Clock } from '@relay/common/clock'
import type { Log } from '@relay/common/log'
import type { Environment } from '@relay/common/proxy'
import { StatusTeller } from '@relay/common/status-teller'
import { stuckParts, Watchdog, type WatchedPart } from '@relay/common/watchdog'
import type { Notifier } from 'node-systemd-notify'
import type { AgentStatus } from './agent-status.ts'
import type { AgentConfig } from './config.ts'
import { ConfiguredStreams } from './configured-streams.ts'
import { FeedHub } from './feeds/feed-hub.ts'
import { type DestinationRule, DestinationRules, StreamRules } from './feeds/rules.ts'
import { HealthDesk, statusSocketName } from './health/health-desk.ts'
import { KeptServer, type OpenServer } from './health/kept-server.ts'
import { StatusLine } from './health/status-line.ts'
import { Instrument } from './instrument/instrument.ts'
import { apiRuleId, type ErrorTexts } from './local-api/admin-command.ts'
import { LocalApi } from './local-api/local-api.ts'
import { MqttInstrument } from './mqtt/mqtt-instrument.ts'
import { NamedPart } from './named-part.ts'
import type { PartPlan } from './part-plan.ts'
import { type PartChanges, PartSet } from './part-set.ts'
import { planParts, uplinkLimits } from './plan-parts.ts'
import type { ReadConfig } from './read-config.ts'
import { ReloadDesk } from './reload-desk.ts'
import { ShellPart } from './shell-host/shell-part.ts'
import { prepareRule, type RuleOptions } from './start-rule.ts'
import { deliveryOf } from './uplink/delivery-of.ts'
import { shownUrl } from './uplink/destination.ts'
import { Uplink } from './uplink/uplink.ts'
import { agentVersion } from './version.ts'
import { Camera } from './video/camera.ts'

export interface AgentOptions {
  readonly config: AgentConfig
  /** A rule of the program itself (`VW_API`); it survives "delete all". */
  readonly apiDestination: string
  readonly errorTexts: ErrorTexts
  /** Without its local API this program is of no use. */
  readonly requiresLocalApi: boolean
  /** By when systemd wants a sign of life; undefined: it does not watch. */
  readonly watchdogIntervalMs: number | undefined
}

export interface AgentDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly environment: Environment
  readonly notifier: Notifier
}

/**
 * The agent: makes every part and hands it what it needs, and tells systemd how it does.
 *
 * Invariants: a part that fails takes no other with it; a reload touches only parts whose settings change; when `run`
 * has resolved, no process, socket or port is left.
 */
export class Agent {
  readonly hub: FeedHub
  readonly #options: AgentOptions
  readonly #deps: AgentDeps
  readonly #destinations: DestinationRules
  readonly #streams: StreamRules
  readonly #configuredStreams: ConfiguredStreams
  readonly #ruleUplinks = new Set<Uplink>()
  readonly #parts: PartSet
  readonly #health: HealthDesk
  readonly #teller: StatusTeller
  #config: AgentConfig
  #localApi: LocalApi | undefined
  #phase: AgentStatus['phase'] = 'starting'
  readonly #started = Promise.withResolvers<void>()
  #reloads: ReloadDesk | undefined

  constructor(options: AgentOptions, deps: AgentDeps) {
    const { log, clock, notifier } = deps
    this.#options = options
    this.#deps = deps
    this.#config = options.config
    this.hub = new FeedHub(({ member, error }) =>
      // Uplinks have their address for a name, which may hold a code.
      log.error(
        { member: URL.canParse(member) ? shownUrl(member) : member, error },
        'a member of a feed failed',
      ),
    )
    this.#parts = new PartSet(deps)
    this.#health = new HealthDesk({
      status: () => this.status(),
      hub: this.hub,
      version: agentVersion,
      ...deps,
    })
    const line = new StatusLine(this.#health.report, () => this.#reloads?.fault)
    this.#teller = new StatusTeller({ clock, notifier, line: line.now })
    this.#streams = new StreamRules(this.hub)
    this.#configuredStreams = new ConfiguredStreams(this.#streams)
    this.#destinations = new DestinationRules({
      prepare: (rule) =>
        prepareRule(rule, this.#ruleOptions(), { hub: this.hub, ...deps, uplinks: this.#ruleUplinks }),
      keptIds: new Set(options.apiDestination === '' ? [] : [apiRuleId]),
    })
  }

  status(): AgentStatus {
    const runners = this.#parts.parts.flatMap((part) => (part instanceof NamedPart ? [part.runner] : []))
    const uplinks = runners.filter((runner) => runner instanceof Uplink)
    return {
      name: this.#config.name,
      phase: this.#phase,
      stuck: stuckParts(this.#watched()).map(({ name, progress }) => ({
        part: name,
        overdueMs: Math.round(progress.overdueMs),
      })),
      cameras: runners.filter((runner) => runner instanceof Camera).map((camera) => camera.status()),
      instruments: runners
        .filter((runner) => runner instanceof Instrument)
        .map((instrument) => instrument.status()),
      mqttInstruments: runners
        .filter((runner) => runner instanceof MqttInstrument)
        .map((instrument) => instrument.status()),
      uplinks: [...uplinks, ...this.#ruleUplinks].map((uplink) => uplink.status()),
      shells: runners.filter((runner) => runner instanceof ShellPart).map((shell) => shell.status()),
      servers: this.#parts.parts.flatMap((part) =>
        part instanceof KeptServer && part.name !== statusSocketName ? [part.status()] : [],
      ),
      localApi: this.#localApi?.status,
    }
  }

  /**
   * Runs everything until `signal` aborts, then ends everything.
   * @throws {UnavailableError} with `requiresLocalApi`, when the local API cannot listen: nothing is running then.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { apiDestination, requiresLocalApi, watchdogIntervalMs } = this.#options
    const { notifier, clock, log } = this.#deps
    await using servers = new AsyncDisposableStack()
    servers.defer(() => this.#destinations.close())
    if (requiresLocalApi) {
      const api = await this.#openLocalApi(this.#config.localApi)
      servers.defer(() => api.close())
    }
    await this.#apply(this.#config)
    if (apiDestination !== '') this.#destinations.put(apiRule(apiDestination))
    this.#phase = 'running'
    this.#started.resolve()
    const { name, cameras, instruments, topics } = this.#config
    log.info(
      { name, cameras: cameras.length, instruments: instruments.length, topics: topics.length },
      'agent is running',
    )
    notifier.ready(this.#teller.line())
    const watchdog = new Watchdog(
      { intervalMs: watchdogIntervalMs, parts: () => this.#watched() },
      { clock, log, notifier },
    )
    try {
      await Promise.all([aborted(signal), this.#teller.run(signal), watchdog.run(signal)])
    } finally {
      this.#phase = 'stopping'
      notifier.stopping('ending cameras, instruments and links')
      await this.#parts.close()
    }
  }

  /**
   * Reads the configuration anew and carries out what changed; an order during another one is carried out afterwards.
   * A configuration that is wrong changes nothing. Resolves when nothing is left to do; never rejects.
   */
  async reload(read: () => Promise<ReadConfig>): Promise<void> {
    await this.#started.promise
    if (this.#phase !== 'running') return
    this.#reloads ??= new ReloadDesk({
      read,
      apply: async (config) => {
        const changes = await this.#apply(config)
        this.#deps.log.level = config.log.level
        return changes
      },
      statusLine: () => this.#teller.line(),
      isOver: () => this.#phase === 'stopping',
      ...this.#deps,
    })
    await this.#reloads.order()
  }

  async #apply(config: AgentConfig): Promise<PartChanges> {
    const plans = [
      ...planParts(config, { hub: this.hub, ...this.#deps }),
      ...this.#health.plans(config),
      ...this.#serverPlans(config),
    ]
    const changes = await this.#parts.apply(plans)
    this.#config = config
    this.#configuredStreams.apply(config.streams)
    return changes
  }

  #serverPlans({ localApi, metrics }: AgentConfig): readonly PartPlan[] {
    const planOf = (key: string, settings: unknown, open: () => Promise<OpenServer>): PartPlan => ({
      key,
      settings,
      make: () => new KeptServer(key, open, this.#deps),
    })
    const servesApi = localApi.enabled && !this.#options.requiresLocalApi
    return [
      ...(servesApi ? [planOf('local API', localApi, () => this.#openLocalApi(localApi))] : []),
      ...(metrics.port === 0 ? [] : [planOf('metrics', metrics, () => this.#openMetrics(metrics))]),
    ]
  }

  #watched(): readonly WatchedPart[] {
    const ofRules = [...this.#ruleUplinks].map((uplink) => ({
      name: `uplink ${uplink.status().id}`,
      progress: uplink.progress,
    }))
    return [...this.#parts.parts, ...ofRules]
  }

  #ruleOptions(): RuleOptions {
    const config = this.#config
    return {
      limits: uplinkLimits(config),
      recordingDirectory: config.recordings.directory,
      maxRecordingBytes: config.recordings.maxSize,
      deliveryOf: (feed) => deliveryOf({ feed, delivery: 'auto' }, config),
    }
  }

  async #openLocalApi({
    host,
    port,
    allowedHosts,
    allowedOrigins,
  }: AgentConfig['localApi']): Promise<OpenServer> {
    const { clock, log } = this.#deps
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
    return {
      close: async () => {
        await api.close()
        if (this.#localApi === api) this.#localApi = undefined
      },
    }
  }

  async #openMetrics(metrics: AgentConfig['metrics']): Promise<OpenServer> {
    // Loaded only where they are wanted: they cost memory.
    const { openMetrics } = await import('./health/open-metrics.ts')
    const { report, answers } = this.#health
    const server = await openMetrics(metrics, { report, answers })
    this.#deps.log.info({ host: metrics.host, port: metrics.port }, 'metrics are served')
    return server
  }
}

/** Changes of the rules by messages of that websocket, without a token (spec session 2.2 and 7.7). */
function apiRule(destination: string): DestinationRule {
  return { id: apiRuleId, stream: 'api', destination, token: '', file: '' }
}
