import type { AppError } from '@relay/common/errors'
import type { Message } from '../src/feeds/feed-hub.ts'
import type { DialRelay, LinkEvents, RelayLink } from '../src/uplink/relay-link.ts'

/** A link whose other end a test plays. */
export class ScriptedLink implements RelayLink {
  readonly uri: string
  readonly sent: string[] = []
  readonly pings: Buffer[] = []
  bufferedBytes = 0
  isOpen = true
  /** How it was ended from our side. */
  ended: 'closed' | 'terminated' | undefined
  readonly #events: LinkEvents

  constructor(uri: string, events: LinkEvents) {
    this.uri = uri
    this.#events = events
  }

  send({ data }: Message): void {
    this.sent.push(data.toString())
  }

  ping(payload: Buffer): void {
    this.pings.push(payload)
  }

  close(): Promise<void> {
    this.isOpen = false
    this.ended ??= 'closed'
    return Promise.resolve()
  }

  terminate(): void {
    this.isOpen = false
    this.ended ??= 'terminated'
  }

  /** Answers all pings that have come. */
  pong(): void {
    for (const payload of this.pings.splice(0)) this.#events.onPong(payload)
  }

  say(text: string): void {
    this.#events.onMessage({ data: Buffer.from(text), binary: false })
  }

  /** The relay or the network ends it. */
  end(error: AppError): void {
    this.isOpen = false
    this.#events.onClosed(error)
  }
}

/** A relay that lets everybody in; every dial is a new link, or the fault that the test has set. */
export class ScriptedRelay {
  readonly links: ScriptedLink[] = []
  /** The next dials fail with this. */
  refusal: AppError | undefined

  readonly dial: DialRelay = (uri, events) => {
    if (this.refusal !== undefined) return Promise.reject(this.refusal)
    const link = new ScriptedLink(uri, events)
    this.links.push(link)
    return Promise.resolve(link)
  }

  /** The newest link. */
  get link(): ScriptedLink {
    const link = this.links.at(-1)
    if (link === undefined) throw new Error('nobody has dialled yet')
    return link
  }
}
