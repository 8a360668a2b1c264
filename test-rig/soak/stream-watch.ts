import { machineMs } from './machine-ms.ts'
import { SilenceLedger } from './silence-ledger.ts'

interface Waiter {
  readonly bornAfterMs: number
  readonly back: (atMs: number) => void
}

/** One stream at its viewer: its silences, and whether it is back after a fault. Times are the machine's. */
export class StreamWatch {
  readonly silences: SilenceLedger
  readonly #waiting = new Set<Waiter>()
  #messages = 0

  constructor({ longestUsualMs }: { readonly longestUsualMs: number }) {
    this.silences = new SilenceLedger({ longestUsualMs })
  }

  get messages(): number {
    return this.#messages
  }

  /**
   * A message came.
   * @param bornAtMs when its source made it; undefined: it does not prove that its source is well.
   */
  take(bornAtMs: number | undefined): void {
    const nowMs = machineMs()
    this.#messages += 1
    this.silences.take(nowMs)
    if (bornAtMs === undefined) return
    for (const waiter of this.#waiting) {
      if (bornAtMs < waiter.bornAfterMs) continue
      this.#waiting.delete(waiter)
      waiter.back(nowMs)
    }
  }

  /** When the first message came that was made after `bornAfterMs`; undefined where none comes before `signal` aborts. */
  async back(bornAfterMs: number, signal: AbortSignal): Promise<number | undefined> {
    const { promise, resolve } = Promise.withResolvers<number | undefined>()
    const waiter = { bornAfterMs, back: resolve }
    const stop = (): void => resolve(undefined)
    this.#waiting.add(waiter)
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    try {
      return await promise
    } finally {
      this.#waiting.delete(waiter)
      signal.removeEventListener('abort', stop)
    }
  }
}
