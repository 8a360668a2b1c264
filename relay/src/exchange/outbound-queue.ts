import type { Batch } from './batch.ts'
import type { DeliveryTotals, DropReason } from './delivery-totals.ts'
import type { RetainedAccount, RetainedBytes } from './retained-bytes.ts'
import type { SlowReaderPolicy } from './slow-reader-policy.ts'

/** The part of a TCP socket that is written to. */
export interface ByteSink {
  readonly writableLength: number
  /** The socket is full: it asked to wait for `drain`. */
  readonly writableNeedDrain: boolean
  write(bytes: Uint8Array): boolean
}

export interface OutboundQueueDeps {
  readonly policy: SlowReaderPolicy
  readonly totals: DeliveryTotals
  readonly retained: RetainedBytes
}

/** Whole frames `[from, to)` of a batch. */
interface Range {
  readonly batch: Batch
  readonly from: number
  readonly to: number
}

/** What each waiting range costs beyond its bytes: many tiny messages must not outgrow the limit in memory. */
const rangeOverheadBytes = 128

/**
 * What waits for one reader. A reader that keeps up has an empty one: each batch goes to its socket in one write.
 *
 * Invariants: frames are written whole and in order; the socket gets nothing more while it is full; every message
 * offered is counted exactly once as delivered, dropped or queued.
 */
export class OutboundQueue {
  readonly #sink: ByteSink
  readonly #deps: OutboundQueueDeps
  #waiting: Range[] | undefined
  #waitingBytes = 0
  /** What was written last and filled the socket: it keeps its memory until the socket has passed it on. */
  #inSocket: Batch | undefined
  /** When the socket became full; -1 while it is not. */
  #blockedSinceMs = -1
  deliveredMessages = 0
  deliveredBytes = 0
  droppedMessages = 0
  lastDeliveredMs = -1

  constructor(sink: ByteSink, deps: OutboundQueueDeps) {
    this.#sink = sink
    this.#deps = deps
  }

  /** Bytes that the reader has not got from us yet: in the socket and behind it. */
  get waitingBytes(): number {
    return this.#sink.writableLength + this.#waitingBytes
  }

  get isIdle(): boolean {
    return this.#waitingBytes === 0 && this.#sink.writableLength === 0
  }

  /** When the socket became full, on the monotonic clock; -1 while it is not. */
  get blockedSinceMs(): number {
    return this.#blockedSinceMs
  }

  /** Whose share of the memory it adds to; undefined while it keeps nothing. */
  get account(): RetainedAccount | undefined {
    return this.#inSocket?.account ?? this.#waiting?.[0]?.batch.account
  }

  /** For the frames `[from, to)` of a batch. False: the policy wants this reader closed; nothing more is kept for it. */
  offer(batch: Batch, from: number, to: number, nowMs: number): boolean {
    const { totals, policy } = this.#deps
    const payloadBytes = batch.payloadBytesOf(from, to)
    totals.offeredMessages += to - from
    totals.offeredBytes += payloadBytes
    if (!this.#sink.writableNeedDrain) {
      this.#write(batch, from, to, payloadBytes, nowMs)
      return true
    }
    const bytes = batch.end(to - 1) - batch.start(from)
    if (this.waitingBytes + bytes <= policy.freeBytes) {
      this.#keep(batch, from, to, bytes)
      return true
    }
    return this.#offerOneByOne(batch, from, to)
  }

  /** The socket took everything: goes on with what waits. */
  drained(nowMs: number): void {
    this.#blockedSinceMs = -1
    this.#releaseSocket()
    const waiting = this.#waiting
    if (waiting === undefined) return
    let done = 0
    for (const { batch, from, to } of waiting) {
      if (this.#sink.writableNeedDrain) break
      const bytes = batch.end(to - 1) - batch.start(from)
      this.#release(batch, bytes)
      this.#uncount(batch, from, to)
      this.#write(batch, from, to, batch.payloadBytesOf(from, to), nowMs)
      done += 1
    }
    if (done === waiting.length) this.#waiting = undefined
    else waiting.splice(0, done)
  }

  /** For how long a full socket has taken nothing is beyond what the policy grants. */
  isStalled(nowMs: number): boolean {
    if (this.#blockedSinceMs < 0) return false
    return nowMs - this.#blockedSinceMs > this.#deps.policy.stallLimitMs(this.#sink.writableLength)
  }

  /** Gives up what waits; it counts as dropped. What the socket has stays with it until `ended`. */
  discard(): void {
    for (const { batch, from, to } of this.#waiting ?? []) {
      this.#release(batch, batch.end(to - 1) - batch.start(from))
      this.#uncount(batch, from, to)
      this.#drop(batch, from, to, 'closed')
    }
    this.#waiting = undefined
  }

  /** The socket is gone, and what it held with it. */
  ended(): void {
    this.discard()
    this.#blockedSinceMs = -1
    this.#releaseSocket()
  }

  #offerOneByOne(batch: Batch, from: number, to: number): boolean {
    const { policy } = this.#deps
    for (let index = from; index < to; index++) {
      const frameBytes = batch.end(index) - batch.start(index)
      const verdict = policy.decide({
        waitingBytes: this.waitingBytes,
        frameBytes,
        isText: batch.isText(index),
      })
      if (verdict === 'close') {
        this.#drop(batch, index, to, 'slow')
        return false
      }
      if (verdict === 'send') this.#keep(batch, index, index + 1, frameBytes)
      else this.#drop(batch, index, index + 1, 'slow')
    }
    return true
  }

  #write(batch: Batch, from: number, to: number, payloadBytes: number, nowMs: number): void {
    const isWhole = from === 0 && to === batch.count
    const bytes = isWhole ? batch.bytes : batch.bytes.subarray(batch.start(from), batch.end(to - 1))
    if (!this.#sink.write(bytes)) {
      this.#blockedSinceMs = nowMs
      this.#inSocket = batch
      this.#deps.retained.hold(batch)
    }
    const count = to - from
    this.deliveredMessages += count
    this.deliveredBytes += payloadBytes
    this.lastDeliveredMs = nowMs
    this.#deps.totals.deliveredMessages += count
    this.#deps.totals.deliveredBytes += payloadBytes
  }

  #keep(batch: Batch, from: number, to: number, bytes: number): void {
    this.#waiting ??= []
    this.#waiting.push({ batch, from, to })
    this.#waitingBytes += bytes + rangeOverheadBytes
    this.#deps.retained.hold(batch)
    this.#deps.totals.queuedMessages += to - from
    this.#deps.totals.queuedBytes += batch.payloadBytesOf(from, to)
  }

  #release(batch: Batch, bytes: number): void {
    this.#waitingBytes -= bytes + rangeOverheadBytes
    this.#deps.retained.release(batch)
  }

  #releaseSocket(): void {
    if (this.#inSocket !== undefined) this.#deps.retained.release(this.#inSocket)
    this.#inSocket = undefined
  }

  #uncount(batch: Batch, from: number, to: number): void {
    this.#deps.totals.queuedMessages -= to - from
    this.#deps.totals.queuedBytes -= batch.payloadBytesOf(from, to)
  }

  #drop(batch: Batch, from: number, to: number, reason: DropReason): void {
    this.droppedMessages += to - from
    this.#deps.totals.droppedMessages[reason] += to - from
    this.#deps.totals.droppedBytes[reason] += batch.payloadBytesOf(from, to)
  }
}
