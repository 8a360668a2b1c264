import type { Clock } from '@relay/common/clock'
import type { Message } from '../feeds/feed-hub.ts'
import { splitJson } from '../feeds/split-json.ts'
import type { BrokerLink } from './broker-link.ts'
import { CommandQueue } from './command-queue.ts'
import { CommandSender } from './command-sender.ts'
import type { TopicMap } from './compile-topic-map.ts'
import { RateLimit } from '@relay/common/rate-limit'
import { toBroker } from './topic-map.ts'

export interface CommandDeskOptions {
  readonly map: TopicMap
  readonly maxPayloadBytes: number
  readonly commandQueueBytes: number
  readonly commandAgeMs: number
  /** MQTT 5: the broker too is told until when a command counts. */
  readonly hasExpiry: boolean
}

export interface CommandDeskDeps {
  readonly clock: Clock
  /** A command is not carried out, and why. */
  readonly onLost: (reason: string) => void
  /** Somebody asks for what is kept. */
  readonly onRepeatRequest: () => void
}

/** A student's page sends a few commands a second; each is parsed. */
const maxCommandsPerSecond = 200

/**
 * Commands of a feed on their way to a broker.
 *
 * Invariants: nothing goes to a topic that no publication names; a command that is older than `commandAgeMs` is dropped
 * and counted, never carried out; those of QoS 0 never wait for a connection; what waits is bounded in bytes.
 */
export class CommandDesk {
  readonly #options: CommandDeskOptions
  readonly #deps: CommandDeskDeps
  readonly #queue: CommandQueue
  readonly #limit: RateLimit
  #sender: CommandSender | undefined
  #publishedMessages = 0
  #publishedBytes = 0
  #refusedCommands = 0
  #droppedCommands = 0

  constructor(options: CommandDeskOptions, deps: CommandDeskDeps) {
    this.#options = options
    this.#deps = deps
    this.#queue = new CommandQueue({ maxBytes: options.commandQueueBytes, maxAgeMs: options.commandAgeMs })
    this.#limit = new RateLimit(maxCommandsPerSecond, deps.clock)
  }

  get counters() {
    return {
      publishedMessages: this.#publishedMessages,
      publishedBytes: this.#publishedBytes,
      refusedCommands: this.#refusedCommands,
      droppedCommands: this.#droppedCommands,
      waitingCommands: this.#queue.size + (this.#sender?.inFlight ?? 0),
    }
  }

  /** For how long the oldest command has waited to be acknowledged. */
  get waitsForMs(): number {
    return this.#sender?.waitsForMs ?? 0
  }

  /** A message of the feed. */
  take({ data, binary }: Message): void {
    if (data.length === 0) return
    if (data.length > this.#options.maxPayloadBytes) {
      this.#refuse('command too long')
      return
    }
    for (const part of binary ? [data] : splitJson(data)) this.#carryOut(part, binary)
  }

  /** A connection is there: what waits goes out, and what comes. */
  open(link: BrokerLink): void {
    const { hasExpiry, commandAgeMs } = this.#options
    this.#sender = new CommandSender(link, this.#queue, {
      clock: this.#deps.clock,
      hasExpiry,
      maxAgeMs: commandAgeMs,
      onPublished: ({ payload }) => {
        this.#publishedMessages += 1
        this.#publishedBytes += Buffer.byteLength(payload)
      },
      onRefused: () => this.#refuse('broker refused the command'),
      onDropped: (count, reason) => this.#drop(count, reason),
    })
    this.pump()
  }

  /** To be called each second: what has become too old goes, and what found no room goes out. */
  pump(): void {
    this.#sender?.pump()
  }

  /** The connection is gone. What QoS 1 may have lost with it waits for the next one; all else is lost. */
  close(): void {
    this.#queue.putBack(this.#sender?.takeBack() ?? [])
    this.#sender = undefined
    this.#drop(
      this.#queue.removeWhere(({ qos }) => qos === 0),
      'no connection',
    )
  }

  /** There will be no other connection. */
  end(): void {
    this.#drop(
      this.#queue.removeWhere(() => true),
      'agent stopped',
    )
  }

  #carryOut(data: Buffer, binary: boolean): void {
    const { map, maxPayloadBytes } = this.#options
    if (!this.#limit.admits()) {
      this.#refuse('too many commands')
      return
    }
    const command = binary ? undefined : parseJson(data)
    if (command !== undefined && map.repeatRequest?.match(command) !== undefined) {
      this.#deps.onRepeatRequest()
      return
    }
    const routed = toBroker({ data, command, binary }, map.publications, maxPayloadBytes)
    if (!routed.ok) {
      this.#refuse(routed.reason === 'too long' ? 'command too long' : 'command fits no publication')
      return
    }
    const { topic, payload, publication } = routed
    const { qos, retain } = publication
    if (qos === 0 && this.#sender === undefined) {
      this.#drop(1, 'no connection')
      return
    }
    const saidAtMs = this.#deps.clock.monotonicMs()
    // What is too old makes room while there is no connection too.
    this.#drop(this.#queue.expire(saidAtMs), 'command too old')
    if (!this.#queue.add({ topic, payload, qos, retain, saidAtMs })) this.#drop(1, 'command queue full')
    this.pump()
  }

  #refuse(reason: string): void {
    this.#refusedCommands += 1
    this.#deps.onLost(reason)
  }

  #drop(count: number, reason: string): void {
    this.#droppedCommands += count
    for (let index = 0; index < count; index++) this.#deps.onLost(reason)
  }
}

/** Undefined where it is no JSON. */
function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'))
  } catch {
    return undefined
  }
}
