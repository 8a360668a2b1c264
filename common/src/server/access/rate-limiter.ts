import type { Clock } from '../../clock.ts'

export interface RateLimit {
  /** Requests that may come at once. */
  readonly max: number
  /** The time in which as many may come again. */
  readonly perMs: number
}

export type RateVerdict = { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number }

interface Bucket {
  tokens: number
  updatedMs: number
}

/** Token buckets by key. Bounded: at `maxKeys` the one that was longest unused is forgotten. */
export class RateLimiter {
  readonly #limit: RateLimit
  readonly #maxKeys: number
  readonly #clock: Pick<Clock, 'monotonicMs'>
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>()

  constructor(limit: RateLimit, maxKeys: number, clock: Pick<Clock, 'monotonicMs'>) {
    this.#limit = limit
    this.#maxKeys = maxKeys
    this.#clock = clock
  }

  get size(): number {
    return this.#buckets.size
  }

  /** Counts one request of `key`, or says when the next one may come. */
  take(key: string): RateVerdict {
    const { max, perMs } = this.#limit
    const nowMs = this.#clock.monotonicMs()
    const bucket = this.#buckets.get(key) ?? { tokens: max, updatedMs: nowMs }
    bucket.tokens = Math.min(max, bucket.tokens + ((nowMs - bucket.updatedMs) * max) / perMs)
    bucket.updatedMs = nowMs
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > this.#maxKeys) {
      const oldest = this.#buckets.keys().next()
      if (oldest.done !== true) this.#buckets.delete(oldest.value)
    }
    if (bucket.tokens < 1) return { ok: false, retryAfterMs: ((1 - bucket.tokens) * perMs) / max }
    bucket.tokens -= 1
    return { ok: true }
  }
}
