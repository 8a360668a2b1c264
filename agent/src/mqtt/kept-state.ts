import type { Message } from '../feeds/feed-hub.ts'

/** A topic takes at least this much of the budget. */
const overheadBytes = 64

/** The last message of each topic, for viewers who come late; bounded in bytes. */
export class KeptState {
  readonly #maxBytes: number
  readonly #messages = new Map<string, Message>()
  #bytes = 0

  constructor({ maxBytes }: { readonly maxBytes: number }) {
    this.#maxBytes = maxBytes
  }

  get topics(): number {
    return this.#messages.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** False when there is no room: then of this topic nothing is kept, and the others stay. */
  keep(topic: string, message: Message): boolean {
    this.forget(topic)
    const bytes = bytesOf(topic, message)
    if (this.#bytes + bytes > this.#maxBytes) return false
    this.#messages.set(topic, message)
    this.#bytes += bytes
    return true
  }

  forget(topic: string): void {
    const message = this.#messages.get(topic)
    if (message === undefined) return
    this.#messages.delete(topic)
    this.#bytes -= bytesOf(topic, message)
  }

  /** The messages; those that changed last come last. */
  messages(): readonly Message[] {
    return [...this.#messages.values()]
  }
}

function bytesOf(topic: string, { data }: Message): number {
  return overheadBytes + Buffer.byteLength(topic) + data.length
}
