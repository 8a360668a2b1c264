import type { Qos } from './topic-map.ts'

/** What is to be published. */
export interface Command {
  readonly topic: string
  readonly payload: string | Buffer
  readonly qos: Qos
  readonly retain: boolean
  /** When the feed said it, by the monotonic clock. */
  readonly saidAtMs: number
}

export interface CommandQueueLimits {
  readonly maxBytes: number
  /** An older command is not carried out any more. */
  readonly maxAgeMs: number
}

/** A command takes at least this much of the budget, so that tiny ones are bounded too. */
const overheadBytes = 64

/** What waits to be published, in order. When it is full the newest is refused; what is too old is dropped. */
export class CommandQueue {
  readonly #limits: CommandQueueLimits
  #waiting: Command[] = []
  #bytes = 0

  constructor(limits: CommandQueueLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#waiting.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** False when there is no room: then nothing of it was taken. */
  add(command: Command): boolean {
    const bytes = bytesOf(command)
    if (this.#bytes + bytes > this.#limits.maxBytes) return false
    this.#waiting.push(command)
    this.#bytes += bytes
    return true
  }

  /** Puts back at the front, in their order, what was under way and may not have arrived; beyond the bytes, as it counted before. */
  putBack(commands: readonly Command[]): void {
    this.#waiting.unshift(...commands)
    for (const command of commands) this.#bytes += bytesOf(command)
  }

  /** The oldest; undefined when none waits. */
  take(): Command | undefined {
    const command = this.#waiting.shift()
    if (command !== undefined) this.#bytes -= bytesOf(command)
    return command
  }

  /** Drops what is too old and says how many that were. */
  expire(nowMs: number): number {
    return this.removeWhere(({ saidAtMs }) => nowMs - saidAtMs > this.#limits.maxAgeMs)
  }

  /** Drops what fits and says how many that were. */
  removeWhere(fits: (command: Command) => boolean): number {
    const kept = this.#waiting.filter((command) => !fits(command))
    const removed = this.#waiting.length - kept.length
    this.#waiting = kept
    this.#bytes = kept.reduce((sum, command) => sum + bytesOf(command), 0)
    return removed
  }
}

function bytesOf({ topic, payload }: Command): number {
  return (
    overheadBytes + topic.length + (typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length)
  )
}
