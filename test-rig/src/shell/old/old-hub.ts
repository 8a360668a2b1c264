import type { OldMember } from './old-member.ts'

interface Place {
  readonly member: OldMember
  /** Messages of a client that spoke before the host: held until it has been sent one. */
  held: { readonly data: Buffer; readonly isBinary: boolean }[] | undefined
}

/**
 * The hub of an old relay (spec shell 5.4): every message goes to each other member of its topic, in order, and each member
 * has a queue that counts messages. One that is full stops the hub for ever (B2): nothing is delivered, registered or removed.
 */
export class OldHub {
  readonly #queueLength: number
  readonly #topics = new Map<string, Set<Place>>()
  #isDeadlocked = false

  constructor(queueLength: number) {
    this.#queueLength = queueLength
  }

  get isDeadlocked(): boolean {
    return this.#isDeadlocked
  }

  /** Returns the function that removes the member again. */
  join(topic: string, member: OldMember, { isGated }: { readonly isGated: boolean }): () => void {
    const places = this.#topics.get(topic) ?? new Set()
    const place: Place = { member, held: isGated ? [] : undefined }
    if (!this.#isDeadlocked) {
      this.#topics.set(topic, places)
      places.add(place)
    }
    member.onMessage((data, isBinary) => {
      if (place.held === undefined) this.#deliver(topic, place, data, isBinary)
      else {
        place.held.push({ data, isBinary })
        // Its reader is stuck: no pong and no close is seen either (B9).
        member.stopReading()
      }
    })
    return () => {
      if (!this.#isDeadlocked) places.delete(place)
    }
  }

  publish(topic: string, data: Buffer, isBinary: boolean): void {
    this.#deliver(topic, undefined, data, isBinary)
  }

  #deliver(topic: string, from: Place | undefined, data: Buffer, isBinary: boolean): void {
    if (this.#isDeadlocked) return
    for (const place of this.#topics.get(topic) ?? []) {
      if (place === from) continue
      if (place.member.queuedMessages >= this.#queueLength) {
        this.#isDeadlocked = true
        return
      }
      place.member.send(data, isBinary)
      this.#openGate(topic, place)
    }
  }

  /** The first message to a client lets its own through. */
  #openGate(topic: string, place: Place): void {
    const { held } = place
    if (held === undefined) return
    place.held = undefined
    for (const { data, isBinary } of held) this.#deliver(topic, place, data, isBinary)
    place.member.readOn()
  }
}
