import type { Clock } from '@relay/common/clock'
import { AppError } from '@relay/common/errors'
import { keepConnected, RetryLaterError, type RetryPolicy } from '@relay/common/keep-connected'
import type { Log } from '@relay/common/log'
import { DropReport } from '../drop-report.ts'
import { type Fault, faultOf } from '@relay/common/fault'
import type { FeedHub, Member, Message } from '../feeds/feed-hub.ts'
import { Progress } from '@relay/common/progress'
import { RetryLog } from '@relay/common/retry-log'
import { readInTime } from '@relay/common/read-in-time'
import type { BrokerNames } from './broker-fault.ts'
import { type BrokerFiles, filesHang, readBrokerFiles } from './broker-files.ts'
import { type BrokerLink, type Notice, openBroker } from './broker-link.ts'
import { CommandDesk } from './command-desk.ts'
import { MessageIntake } from './message-intake.ts'
import type { MqttInstrumentOptions } from './mqtt-options.ts'

export interface MqttInstrumentDeps {
  readonly hub: Pick<FeedHub, 'join' | 'publish'>
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
}

export type MqttState = 'stopped' | 'connecting' | 'live' | 'waiting'

export interface MqttInstrumentStatus {
  readonly name: string
  readonly feed: string
  /** Without name and password. */
  readonly broker: string
  readonly clientId: string
  readonly state: MqttState
  readonly connects: number
  readonly reconnects: number
  readonly receivedMessages: number
  readonly receivedBytes: number
  /** Messages of the broker that the feed did not get: too many, too long, or not what the template needs. */
  readonly droppedMessages: number
  readonly publishedMessages: number
  readonly publishedBytes: number
  /** Commands that fit no publication, or that the broker refused. */
  readonly refusedCommands: number
  /** Commands that should have been published and were not: no connection, too old, or no room. */
  readonly droppedCommands: number
  readonly waitingCommands: number
  readonly keptTopics: number
  readonly keptBytes: number
  /** Filters that the broker does not let us hear. */
  readonly refusedFilters: readonly string[]
  readonly fault: Fault | undefined
}

/** A broker that is started again is in use within three seconds; many agents come back spread over that time. */
const retryPolicy: RetryPolicy = {
  minMs: 300,
  maxMs: 10_000,
  stableAfterMs: 10_000,
  stableFrom: 'established',
}
/** What only a person can put right is tried again slowly: brokers ban who knocks too often. */
const slowFaults: ReadonlySet<string> = new Set([
  'MQTT_LOGIN_REFUSED',
  'MQTT_CLIENT_ID_REFUSED',
  'MQTT_VERSION_REFUSED',
  'MQTT_TAKEN_OVER',
  'MQTT_CERTIFICATE_REFUSED',
  'MQTT_CLIENT_CERTIFICATE_REFUSED',
  'MQTT_FILE_WRONG',
  'MQTT_FILE_UNREADABLE',
])
const slowPauseMs = 5_000
const tickMs = 1_000
/** Beyond its waits: for a board that is busy. */
const spareMs = 30_000
/** A broker that takes a command of QoS 1 and does not acknowledge it for so long is given up. */
const acknowledgeWithinMs = 30_000
const leaveWithinMs = 1_000

/**
 * One instrument behind an MQTT broker: messages of its topics go to the feed, commands of the feed to its topics, both
 * by templates.
 *
 * Invariants: a connection is used once, and at most one is open or being opened; no fault of a broker breaks a promise
 * to the watchdog; when `run` has resolved nothing is left open. What holds for commands stands in `CommandDesk`.
 */
export class MqttInstrument implements Member {
  readonly name: string
  readonly progress: Progress
  readonly #options: MqttInstrumentOptions
  readonly #deps: MqttInstrumentDeps
  readonly #drops: DropReport
  readonly #intake: MessageIntake
  readonly #commands: CommandDesk
  readonly #readFiles: () => Promise<BrokerFiles>
  #state: MqttState = 'stopped'
  #connects = 0
  #reconnects = 0
  #refusedFilters: readonly string[] = []
  #fault: Fault | undefined

  constructor(options: MqttInstrumentOptions, deps: MqttInstrumentDeps) {
    const { clock } = deps
    this.name = `mqtt instrument ${options.name}`
    this.progress = new Progress(clock)
    this.#options = options
    this.#deps = deps
    this.#drops = new DropReport({ instrument: options.name }, deps)
    this.#intake = new MessageIntake(
      { ...options, subscriptions: options.map.subscriptions },
      {
        clock,
        publish: (message) => deps.hub.publish(options.feed, message, this),
        onDropped: (reason) => this.#drops.count(reason),
      },
    )
    const { files, protocol } = options.broker
    this.#readFiles = readInTime(() => readBrokerFiles(files), { clock, late: filesHang })
    this.#commands = new CommandDesk(
      { ...options, hasExpiry: protocol === 5 },
      { clock, onLost: (reason) => this.#drops.count(reason), onRepeatRequest: () => this.greet() },
    )
  }

  /** Keeps the connection until `signal` aborts. Never rejects for a fault of the broker. */
  async run(signal: AbortSignal): Promise<void> {
    const { hub, clock, random } = this.#deps
    const retries = new RetryLog({ instrument: this.#options.name }, this.#deps)
    const leave = hub.join(this.#options.feed, this)
    try {
      await keepConnected(
        (inner, established) => this.#connectOnce(inner, established),
        retryPolicy,
        {
          clock,
          random,
          onRetry: (retry) => {
            this.#state = 'waiting'
            this.#reconnects += 1
            this.progress.promise(retry.delayMs + spareMs)
            retries.tell(retry, 'broker is not there, will be tried again')
          },
        },
        signal,
      )
    } finally {
      leave()
      this.#commands.end()
      this.#drops.stop()
      this.#state = 'stopped'
      this.progress.rest()
    }
  }

  status(): MqttInstrumentStatus {
    const { name, feed, broker } = this.#options
    return {
      name,
      feed,
      broker: broker.names.broker,
      clientId: broker.names.clientId,
      state: this.#state,
      connects: this.#connects,
      reconnects: this.#reconnects,
      ...this.#intake.counters,
      ...this.#commands.counters,
      refusedFilters: this.#refusedFilters,
      fault: this.#fault,
    }
  }

  /** A message of the feed, for the broker. */
  deliver(message: Message): void {
    this.#commands.take(message)
  }

  /** Somebody has come who may have missed what is kept: it is said again. */
  greet(): void {
    this.#intake.wantRepeat()
  }

  async #connectOnce(signal: AbortSignal, established: () => void): Promise<void> {
    const { clock } = this.#deps
    const { broker } = this.#options
    this.#state = 'connecting'
    this.progress.promise(2 * broker.connectTimeoutMs + spareMs)
    const closed = Promise.withResolvers<AppError>()
    try {
      const link = await openBroker(
        broker,
        {
          onMessage: (topic, payload, retained) => this.#intake.take(topic, payload, retained),
          onLeftOut: (reason) => this.#intake.drop(`message ${reason}`),
          onClosed: (fault) => closed.resolve(fault),
        },
        { clock, readFiles: this.#readFiles },
        signal,
      )
      established()
      await this.#serve(link, closed.promise, signal)
    } catch (error) {
      if (!signal.aborted) this.#fault = faultOf(error, clock.nowMs())
      throw slowedDown(error)
    }
  }

  async #serve(link: BrokerLink, closed: Promise<AppError>, signal: AbortSignal): Promise<void> {
    const { log } = this.#deps
    const { name, feed, broker } = this.#options
    const serving = new AbortController()
    const stopping = AbortSignal.any([signal, serving.signal])
    try {
      this.#refusedFilters = await Promise.race([this.#subscribe(link, stopping), rejection(closed)])
      this.#state = 'live'
      this.#connects += 1
      this.#fault = undefined
      log.info(
        { instrument: name, feed, broker: broker.names.broker, sessionKept: link.isSessionKept },
        'instrument is connected to its broker',
      )
      this.#say(link, this.#options.birth)
      this.#commands.open(link)
      const end = await Promise.race([closed, this.#tick(stopping)])
      if (end !== undefined) throw end
    } finally {
      serving.abort()
      this.#state = 'waiting'
      this.#commands.close()
      if (signal.aborted) await this.#leave(link)
      else link.terminate()
    }
  }

  /** Each for itself, so that one that is refused takes no other with it. Gives those that were. */
  async #subscribe(link: BrokerLink, signal: AbortSignal): Promise<readonly string[]> {
    const { name, map, broker } = this.#options
    const { connectTimeoutMs, names } = broker
    const refused: string[] = []
    for (const { filter, qos } of map.subscriptions) {
      this.progress.promise(connectTimeoutMs + spareMs)
      const waiting = new AbortController()
      const late = this.#deps.clock.sleep(connectTimeoutMs, AbortSignal.any([signal, waiting.signal]))
      const isHeard = await Promise.race([link.subscribe(filter.filter, qos), late])
      waiting.abort()
      if (isHeard === undefined) throw mute(names)
      if (!isHeard) refused.push(filter.filter)
    }
    if (refused.length > 0)
      this.#deps.log.warn(
        { instrument: name, filters: refused },
        'the broker does not let us hear these topics: its access list is to be changed',
      )
    return refused
  }

  /** Looks after what waits, each second; ends when `signal` aborts. */
  async #tick(signal: AbortSignal): Promise<AppError | undefined> {
    const { clock } = this.#deps
    const { repeatEveryMs } = this.#options
    let repeatAtMs = clock.monotonicMs() + repeatEveryMs
    for (;;) {
      this.progress.promise(tickMs + spareMs)
      await clock.sleep(tickMs, signal)
      if (signal.aborted) return undefined
      this.#commands.pump()
      if (repeatEveryMs > 0 && clock.monotonicMs() >= repeatAtMs) {
        repeatAtMs = clock.monotonicMs() + repeatEveryMs
        this.#intake.wantRepeat()
      }
      this.#intake.repeatIfDue()
      if (this.#commands.waitsForMs > acknowledgeWithinMs) return stuck(this.#options.broker.names)
    }
  }

  /** On purpose the broker publishes no last will: those who wait for it hear it from us. */
  async #leave(link: BrokerLink): Promise<void> {
    const { will } = this.#options.broker
    if (will !== undefined) {
      const waiting = new AbortController()
      const said = new Promise<void>((resolve) => this.#say(link, will, resolve))
      await Promise.race([said, this.#deps.clock.sleep(leaveWithinMs, waiting.signal)])
      waiting.abort()
    }
    await link.close()
  }

  #say(link: BrokerLink, notice: Notice | undefined, onDone: () => void = () => undefined): void {
    if (notice === undefined) return
    link.publish({ ...notice, saidAtMs: this.#deps.clock.monotonicMs() }, undefined, onDone)
  }
}

async function rejection(closed: Promise<AppError>): Promise<never> {
  throw await closed
}

function mute({ broker }: BrokerNames): AppError {
  return new AppError(
    'MQTT_MUTE',
    `the broker ${broker} let us in and does not answer what we ask to hear: is it a broker?`,
  )
}

function stuck({ broker }: BrokerNames): AppError {
  return new AppError(
    'MQTT_STUCK',
    `the broker ${broker} did not acknowledge a command for ${acknowledgeWithinMs / 1000} s`,
  )
}

/** What to reject with, so that the next attempt comes when it should. */
function slowedDown(error: unknown): unknown {
  return error instanceof AppError && slowFaults.has(error.code)
    ? new RetryLaterError(error.message, slowPauseMs)
    : error
}
