/** One message of a feed, as it came: its kind (the websocket opcode) is kept all the way. */
export interface Message {
  readonly data: Buffer
  readonly binary: boolean
}

/** Somebody who listens on a feed and may speak there. */
export interface Member {
  /** A message goes to nobody of the same name as its sender (spec session 7.3): for a destination its address. May hold a secret. */
  readonly name: string
  /** Takes the message at once, without waiting and without throwing; keeps it only within its own limit. */
  deliver(message: Message): void
  /** Somebody has come who may have missed what was said: state is said again. Without waiting and without throwing. */
  greet?(): void
}

export type Leave = () => void

/** Names that begin so are streams: lists of feeds, not feeds (spec session 7.3). */
export const streamPrefix = 'stream/'

/** The name is that of a stream, a list of feeds. */
export function isStream(name: string): boolean {
  return name.startsWith(streamPrefix)
}

/** What a hub tells when a member breaks its promise not to throw. */
export type OnMemberFault = (fault: { readonly member: string; readonly error: unknown }) => void

/**
 * The agent's own message bus: feeds by name, and streams that gather feeds (spec session 7.3).
 *
 * Invariants: a message reaches each member of its feed, and of each stream which gathers that feed, once and in the
 * order of publishing; it never comes back to a member of the sender's name; what is published to a stream goes
 * nowhere; a change of a stream's feeds holds from the next message on; a member that throws harms no other.
 */
export class FeedHub {
  readonly #membersByName = new Map<string, Set<Member>>()
  /** Feed to the streams that gather it. */
  readonly #streamsByFeed = new Map<string, Set<string>>()
  readonly #feedsByStream = new Map<string, readonly string[]>()
  readonly #onMemberFault: OnMemberFault

  constructor(onMemberFault: OnMemberFault = () => undefined) {
    this.#onMemberFault = onMemberFault
  }

  /** `name` is a feed, or a stream for whoever wants all of its feeds. Leaving twice is harmless. */
  join(name: string, member: Member): Leave {
    let members = this.#membersByName.get(name)
    if (members === undefined) {
      members = new Set()
      this.#membersByName.set(name, members)
    }
    members.add(member)
    return () => this.#leave(name, member)
  }

  /** Hands the very message to everybody concerned; nothing is copied. */
  publish(feed: string, message: Message, from: Member): void {
    if (isStream(feed)) return
    this.#deliver(feed, message, from)
    const streams = this.#streamsByFeed.get(feed)
    if (streams === undefined) return
    for (const stream of streams) this.#deliver(stream, message, from)
  }

  /** Somebody has come who listens on this feed or stream, such as a relay that is there again: the others are told. */
  announce(name: string, newcomer: Member): void {
    const feeds = isStream(name) ? (this.#feedsByStream.get(name) ?? []) : [name]
    for (const feed of feeds)
      for (const member of this.#membersByName.get(feed) ?? []) if (member !== newcomer) member.greet?.()
  }

  /** Says which feeds a stream gathers; a name without the prefix of streams has no effect. */
  setStream(stream: string, feeds: readonly string[]): void {
    this.deleteStream(stream)
    if (!isStream(stream)) return
    this.#feedsByStream.set(stream, feeds)
    for (const feed of feeds) {
      const streams = this.#streamsByFeed.get(feed)
      if (streams === undefined) this.#streamsByFeed.set(feed, new Set([stream]))
      else streams.add(stream)
    }
  }

  /** Members of the stream stay and hear nothing until it is set again. */
  deleteStream(stream: string): void {
    for (const feed of this.#feedsByStream.get(stream) ?? []) {
      const streams = this.#streamsByFeed.get(feed)
      streams?.delete(stream)
      if (streams?.size === 0) this.#streamsByFeed.delete(feed)
    }
    this.#feedsByStream.delete(stream)
  }

  /** How many listen under this very name. */
  memberCount(name: string): number {
    return this.#membersByName.get(name)?.size ?? 0
  }

  /** Somebody of that name listens under this very feed or stream. */
  hasMember(feed: string, memberName: string): boolean {
    return [...(this.#membersByName.get(feed) ?? [])].some(({ name }) => name === memberName)
  }

  #deliver(name: string, message: Message, from: Member): void {
    const members = this.#membersByName.get(name)
    if (members === undefined) return
    for (const member of members) {
      if (member.name === from.name) continue
      try {
        member.deliver(message)
      } catch (error) {
        this.#onMemberFault({ member: member.name, error })
      }
    }
  }

  #leave(name: string, member: Member): void {
    const members = this.#membersByName.get(name)
    if (members?.delete(member) === true && members.size === 0) this.#membersByName.delete(name)
  }
}
