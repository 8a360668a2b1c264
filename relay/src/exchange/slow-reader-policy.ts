/** What is known about a reader that does not keep up, when one more message is for it. */
export interface SlowReaderFacts {
  /** Bytes that wait for this reader already, in the socket and behind it. */
  readonly waitingBytes: number
  /** The frame in question. */
  readonly frameBytes: number
  readonly isText: boolean
}

/** `send`: keep it for the reader; `skip`: this reader loses the whole message; `close`: cut the reader off. */
export type SlowReaderVerdict = 'send' | 'skip' | 'close'

/**
 * Decides what a slow reader loses, never about others. It is asked only while a reader's socket is full, so that
 * nothing of it is on the path of readers that keep up.
 */
export interface SlowReaderPolicy {
  /** While no more than this waits, whole batches pass unasked. */
  readonly freeBytes: number
  decide(facts: SlowReaderFacts): SlowReaderVerdict
  /**
   * How long a full socket may take nothing at all before the reader is cut off, in ms.
   * @param handedOverBytes what the socket has and did not pass on.
   */
  stallLimitMs(handedOverBytes: number): number
}

export interface ByteLimitPolicyOptions {
  /** Binary messages (video): over it they are skipped one by one. */
  readonly maxBufferedBytes: number
  /** Text messages (data) are never lost silently: over it the reader is closed. */
  readonly maxBufferedTextBytes: number
  readonly stalledAfterMs: number
}

/** A large message on a thin line is no stall: this much is granted on top of the limit. */
const slowestBytesPerSec = 32_768

/** Limits by bytes: binary messages are skipped, for text the reader is closed with a named reason. */
export class ByteLimitPolicy implements SlowReaderPolicy {
  readonly #options: ByteLimitPolicyOptions

  constructor(options: ByteLimitPolicyOptions) {
    this.#options = options
  }

  get freeBytes(): number {
    return Math.min(this.#options.maxBufferedBytes, this.#options.maxBufferedTextBytes)
  }

  decide({ waitingBytes, frameBytes, isText }: SlowReaderFacts): SlowReaderVerdict {
    const limit = isText ? this.#options.maxBufferedTextBytes : this.#options.maxBufferedBytes
    if (waitingBytes + frameBytes <= limit) return 'send'
    return isText ? 'close' : 'skip'
  }

  stallLimitMs(handedOverBytes: number): number {
    return this.#options.stalledAfterMs + (handedOverBytes * 1000) / slowestBytesPerSec
  }
}
