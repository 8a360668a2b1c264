import type { Cancel, Clock } from '../clock.ts'

export interface HeartbeatOptions {
  readonly everyMs: number
  /** Beats without a sign of life after which the other side is taken for gone. */
  readonly allowedMisses: number
}

/** Between our own ends: a link without a sign of life for 15 s is broken (shell/PROTOCOL.md). */
export const tunnelHeartbeat: HeartbeatOptions = { everyMs: 5_000, allowedMisses: 3 }

/**
 * An old relay pings every 54 s, from the first minute on, also where it says nothing else; it lets in whom it refuses
 * and then stays mute (specification 5.1, 8.2). Our own pings might lie unread there.
 */
export const plainHeartbeat: HeartbeatOptions = { everyMs: 40_000, allowedMisses: 3 }

/**
 * Watches one connection. Counts beats, not time: a machine that slept gives the other side one beat to answer. Only
 * marks each sign of life, so that it costs nothing per message.
 */
export class Heartbeat {
  readonly #clock: Pick<Clock, 'after'>
  readonly #options: HeartbeatOptions
  readonly #onBeat: () => void
  readonly #onDead: () => void
  #misses = 0
  #cancel: Cancel | undefined

  constructor(
    options: HeartbeatOptions,
    deps: {
      readonly clock: Pick<Clock, 'after'>
      /** Time for a ping. */
      readonly onBeat: () => void
      /** Once. */
      readonly onDead: () => void
    },
  ) {
    this.#options = options
    this.#clock = deps.clock
    this.#onBeat = deps.onBeat
    this.#onDead = deps.onDead
    this.#arm()
  }

  /** A sign of life. */
  heard(): void {
    this.#misses = 0
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #arm(): void {
    this.#cancel = this.#clock.after(this.#options.everyMs, () => {
      this.#misses += 1
      if (this.#misses >= this.#options.allowedMisses) {
        this.#onDead()
        return
      }
      this.#arm()
      this.#onBeat()
    })
  }
}
