import type { Clock } from '@relay/common/clock'
import type { Log } from '@relay/common/log'
import type { AgentStatus } from '../agent-status.ts'
import type { AgentConfig } from '../config.ts'
import type { Part } from '../part.ts'
import { ActivityMeter } from './activity.ts'
import { healthAnswers } from './health-answers.ts'
import { healthParts } from './health-part.ts'
import { judgeHealth } from './judge-health.ts'
import { KeptServer } from './kept-server.ts'
import { Progress } from './progress.ts'
import type { StatusReport } from './status-report.ts'
import { StatusSocket } from './status-socket.ts'

export type HealthConfig = Pick<AgentConfig, 'status'>

export interface HealthDeps {
  readonly status: () => AgentStatus
  readonly version: string
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
}

const sampleEveryMs = 1_000

/** Knows how the agent does, and tells it to whoever asks: the socket, the page, Prometheus, the heartbeat. */
export class HealthDesk {
  readonly #deps: HealthDeps
  readonly #meter = new ActivityMeter()
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
      activity: healthParts(status).map(({ title }) => this.#meter.of(title, nowMs)),
      ...status,
    }
  }

  /** What servers answer about it, by path. */
  get answers(): ReturnType<typeof healthAnswers> {
    return healthAnswers(this.report)
  }

  /** What has to run for it. */
  parts({ status }: HealthConfig): readonly Part[] {
    const { log } = this.#deps
    const openSocket = async (): Promise<StatusSocket> => {
      const socket = await StatusSocket.open(status.socket, this.answers)
      log.info({ socket: status.socket }, 'status is served')
      return socket
    }
    return [
      this.#sampler(),
      ...(status.socket === '' ? [] : [new KeptServer('status socket', openSocket, this.#deps)]),
    ]
  }

  /** Looks at all counters each second, for rates. */
  #sampler(): Part {
    const { clock } = this.#deps
    const progress = new Progress(clock)
    const run = async (signal: AbortSignal): Promise<void> => {
      while (!signal.aborted) {
        progress.promise(10 * sampleEveryMs)
        this.#meter.sample(healthParts(this.#deps.status()), clock.monotonicMs())
        await clock.sleep(sampleEveryMs, signal)
      }
      progress.rest()
    }
    return { name: 'activity meter', progress, run }
  }
}
