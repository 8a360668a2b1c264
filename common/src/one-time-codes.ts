import { randomUUID } from 'node:crypto'
import type { Clock } from './clock.ts'

export interface OneTimeCodesOptions {
  /** A code that was not used by then is worthless. */
  readonly lifetimeMs: number
  /** At least 1. At the limit the oldest code gives way, and is counted. */
  readonly maxCodes: number
}

interface Entry<T> {
  readonly permission: T
  readonly expiresAtMs: number
}

/**
 * Permissions waiting to be fetched by a code (spec session 5).
 *
 * Invariants: a code is exchanged at most once; never after its life; at most `maxCodes` are kept; entries stand in
 * the order of their expiry, as all live equally long.
 */
export class OneTimeCodes<T> {
  readonly #options: OneTimeCodesOptions
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #entries = new Map<string, Entry<T>>()
  #evicted = 0

  constructor(options: OneTimeCodesOptions, clock: Pick<Clock, 'monotonicMs'>) {
    this.#options = options
    this.#clock = clock
  }

  /** How many codes wait at this moment, expired ones that were not yet swept included. */
  get size(): number {
    return this.#entries.size
  }

  /** How many live codes had to give way to newer ones. */
  get evicted(): number {
    return this.#evicted
  }

  /** A fresh code (UUID v4, lower case) for `permission`. */
  add(permission: T): string {
    this.#sweep()
    const oldest = this.#entries.keys().next()
    if (oldest.done !== true && this.#entries.size >= this.#options.maxCodes) {
      this.#entries.delete(oldest.value)
      this.#evicted += 1
    }
    const code = randomUUID()
    this.#entries.set(code, { permission, expiresAtMs: this.#clock.monotonicMs() + this.#options.lifetimeMs })
    return code
  }

  /** Uses the code up and gives its permission; undefined when it is unknown, used or too old. */
  exchange(code: string): T | undefined {
    const entry = this.#entries.get(code)
    if (entry === undefined) return undefined
    this.#entries.delete(code)
    return this.#clock.monotonicMs() < entry.expiresAtMs ? entry.permission : undefined
  }

  /** Deletes the live codes of all permissions that match, and says how many there were. */
  deleteWhere(matches: (permission: T) => boolean): number {
    this.#sweep()
    let deleted = 0
    for (const [code, entry] of this.#entries) {
      if (!matches(entry.permission)) continue
      this.#entries.delete(code)
      deleted += 1
    }
    return deleted
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [code, entry] of this.#entries) {
      if (entry.expiresAtMs > nowMs) return
      this.#entries.delete(code)
    }
  }
}
