import type { Clock } from '@relay/common/clock'
import type { BrokerLink } from './broker-link.ts'
import type { Command, CommandQueue } from './command-queue.ts'

export interface CommandSenderDeps {
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** MQTT 5: the broker too is told until when a command counts. */
  readonly hasExpiry: boolean
  readonly maxAgeMs: number
  readonly onPublished: (command: Command) => void
  readonly onRefused: (command: Command) => void
  readonly onDropped: (count: number, reason: string) => void
}

/** Commands of QoS 1 that are under way at the same time. */
const maxInFlight = 16
/** With more than this waiting for the network the next command waits too. */
const maxBufferedBytes = 65_536

/** Sends what waits over one connection, in order and as far as the broker takes it. */
export class CommandSender {
  readonly #link: BrokerLink
  readonly #queue: CommandQueue
  readonly #deps: CommandSenderDeps
  /** With the time at which each was sent. */
  readonly #underWay = new Map<Command, number>()
  #isOver = false

  constructor(link: BrokerLink, queue: CommandQueue, deps: CommandSenderDeps) {
    this.#link = link
    this.#queue = queue
    this.#deps = deps
  }

  get inFlight(): number {
    return this.#underWay.size
  }

  /** For how long the oldest command has waited to be acknowledged. */
  get waitsForMs(): number {
    for (const sentAtMs of this.#underWay.values()) return this.#deps.clock.monotonicMs() - sentAtMs
    return 0
  }

  pump(): void {
    if (this.#isOver) return
    const { clock, onDropped } = this.#deps
    const nowMs = clock.monotonicMs()
    const late = this.#queue.expire(nowMs)
    if (late > 0) onDropped(late, 'command too old')
    while (this.#underWay.size < maxInFlight && this.#link.bufferedBytes <= maxBufferedBytes) {
      const command = this.#queue.take()
      if (command === undefined) return
      this.#send(command, nowMs)
    }
  }

  /** Ends it and gives what the broker has not acknowledged, oldest first. */
  takeBack(): readonly Command[] {
    this.#isOver = true
    return [...this.#underWay.keys()]
  }

  #send(command: Command, nowMs: number): void {
    const { hasExpiry, maxAgeMs, onPublished, onRefused } = this.#deps
    const leftMs = maxAgeMs - (nowMs - command.saidAtMs)
    // What the broker keeps for good is no command.
    const expirySec = hasExpiry && !command.retain ? Math.max(1, Math.ceil(leftMs / 1000)) : undefined
    if (command.qos === 1) this.#underWay.set(command, nowMs)
    this.#link.publish(command, expirySec, (outcome) => {
      if (this.#isOver) return
      this.#underWay.delete(command)
      if (outcome === 'taken') onPublished(command)
      else onRefused(command)
      if (command.qos === 1) this.pump()
    })
  }
}
