import type { HostKeys } from './host-keys.ts'

interface Remembered {
  keys?: HostKeys
  lastSeenMs?: number
}

/** What is remembered of hosts that may be gone: their keys and when they were last there. Bounded; in memory only. */
export class HostMemory {
  readonly #maxHosts: number
  /** The one that changed last stands last. */
  readonly #hosts = new Map<string, Remembered>()

  constructor(maxHosts: number) {
    this.#maxHosts = maxHosts
  }

  get size(): number {
    return this.#hosts.size
  }

  keysOf(id: string): HostKeys | undefined {
    return this.#hosts.get(id)?.keys
  }

  lastSeenMsOf(id: string): number | undefined {
    return this.#hosts.get(id)?.lastSeenMs
  }

  noteKeys(id: string, keys: HostKeys): void {
    this.#note(id, { keys })
  }

  /** A wall-clock time. */
  noteSeen(id: string, lastSeenMs: number): void {
    this.#note(id, { lastSeenMs })
  }

  #note(id: string, change: Remembered): void {
    const before = this.#hosts.get(id)
    this.#hosts.delete(id)
    this.#hosts.set(id, { ...before, ...change })
    const oldest = this.#hosts.keys().next()
    if (this.#hosts.size > this.#maxHosts && oldest.done !== true) this.#hosts.delete(oldest.value)
  }
}
