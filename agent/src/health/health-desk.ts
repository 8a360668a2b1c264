import { hostname } from 'node:os'
import type { Clock } from '@relay/common/clock'
import type { Log } from '@relay/common/log'
import { Progress } from '@relay/common/progress'
import type { AgentStatus } from '../agent-status.ts'
import type { AgentConfig } from '../config.ts'
import { DropReport } from '../drop-report.ts'
import type { FeedHub } from '../feeds/feed-hub.ts'
import type { Part } from '../part.ts'
import type { PartPlan } from '../part-plan.ts'
import { ActivityMeter } from './activity.ts'
import { healthAnswers } from './health-answers.ts'
import { healthParts } from './health-part.ts'
import { Heartbeat } from './heartbeat.ts'
import { judgeHealth } from './judge-health.ts'
import { KeptServer, type OpenServer } from './kept-server.ts'
import { RecentFaults } from './recent-faults.ts'
import type { StatusReport } from './status-report.ts'
import { StatusSocket } from './status-socket.ts'
import { Thermometer } from './thermometer.ts'

export type HealthConfig = Pick<AgentConfig, 'status' | 'statusPage' | 'heartbeat' | 'topics'>

export interface HealthDeps {
  readonly status: () => AgentStatus
  readonly hub: Pick<FeedHub, 'publish'>
  readonly version: string
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
}

/** As a part. */
export const statusSocketName = 'status socket'
const sampleEveryMs = 1_000

/** Knows how the agent does, and tells it to whoever asks: the socket, the page, Prometheus, the heartbeat. */
export class HealthDesk {
  readonly #deps: HealthDeps
  readonly #meter = new ActivityMeter()
  readonly #faults = new RecentFaults()
  readonly #startedAtMs: number

  constructor(deps: HealthDeps) {
    this.#deps = deps
    this.#startedAtMs = deps.clock.monotonicMs()
  }

  /** How everything stands now. */
  readonly report = (): StatusReport => {
    const { clock, version } = this.#deps
    const status = this.#deps.status()
    const nowMs = clock.monotonicMs()
    return {
      format: 1,
      version,
      pid: process.pid,
      atMs: clock.nowMs(),
      upMs: Math.round(nowMs - this.#startedAtMs),
      monotonicMs: nowMs,
      health: judgeHealth(status),
      activity: healthParts(status).flatMap(({ title, count }) =>
        count === undefined ? [] : [this.#meter.of(title, nowMs)],
      ),
      recentFaults: this.#faults.list,
      ...status,
    }
  }

  /** What servers answer about it, by path. */
  get answers(): ReturnType<typeof healthAnswers> {
    return healthAnswers(this.report)
  }

  /** What has to run for it. */
  plans(config: HealthConfig): readonly PartPlan[] {
    const { status, statusPage } = config
    const server = (key: string, settings: unknown, open: () => Promise<OpenServer>): PartPlan => ({
      key,
      settings,
      make: () => new KeptServer(key, open, this.#deps),
    })
    return [
      { key: 'activity meter', settings: undefined, make: () => this.#sampler() },
      ...(status.socket === ''
        ? []
        : [server(statusSocketName, status, () => this.#openSocket(status.socket))]),
      ...(statusPage.port === 0 ? [] : [server('status page', statusPage, () => this.#openPage(statusPage))]),
      ...this.#heartbeats(config),
    ]
  }

  async #openSocket(path: string): Promise<OpenServer> {
    const socket = await StatusSocket.open(path, this.answers)
    this.#deps.log.info({ socket: path }, 'status is served')
    return socket
  }

  async #openPage(settings: HealthConfig['statusPage']): Promise<OpenServer> {
    const { clock, log } = this.#deps
    // Loaded only where it is wanted: it costs memory.
    const { StatusPageServer } = await import('./status-page-server.ts')
    const { '/status': _whole, ...probes } = this.answers
    const refused = new DropReport({ part: 'status page' }, this.#deps)
    const page = await StatusPageServer.open(
      { ...settings, hostName: hostname() },
      {
        report: this.report,
        probes,
        onRefusedPeer: () => refused.count('peer outside of the local network'),
        monotonicMs: () => clock.monotonicMs(),
      },
    )
    log.info({ host: settings.host, port: page.port }, 'status page is served')
    return {
      close: async () => {
        refused.stop()
        await page.close()
      },
    }
  }

  #heartbeats({ heartbeat, topics }: HealthConfig): readonly PartPlan[] {
    const topic = topics.find((one) => one.topic === heartbeat.topic)
    if (topic === undefined) return []
    const settings = { feed: topic.feed, everyMs: heartbeat.every }
    const make = (): Part => {
      const thermometer = new Thermometer()
      const temperatureC = (): number | undefined => thermometer.lastC
      return new Heartbeat(settings, { ...this.#deps, report: this.report, temperatureC })
    }
    return [{ key: 'heartbeat', settings, make }]
  }

  /** Looks at all parts each second: at counters, for rates, and at faults, which may be over soon. */
  #sampler(): Part {
    const { clock } = this.#deps
    const progress = new Progress(clock)
    const run = async (signal: AbortSignal): Promise<void> => {
      while (!signal.aborted) {
        progress.promise(10 * sampleEveryMs)
        const parts = healthParts(this.#deps.status())
        this.#meter.sample(parts, clock.monotonicMs())
        this.#faults.look(parts)
        await clock.sleep(sampleEveryMs, signal)
      }
      progress.rest()
    }
    return { name: 'activity meter', progress, run }
  }
}
