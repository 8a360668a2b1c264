import type { Clock } from '../clock.ts'
import { AppError } from '../errors.ts'
import {
  type ControlMessage,
  isBrokenOpen,
  type OpenMessage,
  parseControl,
} from '../tunnel/control-message.ts'
import type { LinkEnd, LinkReceiver, TunnelLink } from '../tunnel/tunnel-link.ts'

export interface InboxDeps {
  readonly clock: Pick<Clock, 'after'>
  readonly signal: AbortSignal
}

type Wanted = (message: ControlMessage) => boolean

/** A plain peer that sends before sshd is there is stopped at this; one of ours must not send at all yet. */
const maxKeptBytes = 262_144

/**
 * Takes what comes over a fresh link until somebody takes the link over, who then gets all of it: the relay may speak in
 * the packet of its 101, and a peer in that of the relay's first word.
 *
 * Invariants: nothing is lost or reordered; what is kept is bounded.
 */
export class LinkInbox implements LinkReceiver {
  readonly #deps: InboxDeps
  #link: TunnelLink | undefined
  #messages: ControlMessage[] = []
  #bytes: Buffer[] = []
  #keptBytes = 0
  #isPaused = false
  #end: LinkEnd | undefined
  /** The client meant to open a session, and how is not to be understood. */
  #isOpenBroken = false
  #wake: () => void = () => undefined

  constructor(deps: InboxDeps) {
    this.#deps = deps
  }

  /** The link whose receiver this is. */
  watch(link: TunnelLink): void {
    this.#link = link
    this.#judgeKept()
  }

  /**
   * What our relay says first; the kind of the peer.
   * @throws {AppError} `LINK_LOST`, `LINK_MUTE` (it was not said within the time), `LINK_BAD`, `ABORTED`.
   */
  async paired(withinMs: number): Promise<'tunnel' | 'plain'> {
    const message = await this.#next(({ type }) => type === 'paired', withinMs)
    return message.type === 'paired' ? message.peer : 'plain'
  }

  /** What a client of ours says first; throws as `paired`, and as soon as that cannot be understood. */
  async open(withinMs: number): Promise<OpenMessage> {
    const message = await this.#next(
      ({ type }) => type === 'open',
      withinMs,
      () => this.#openFlaw(),
    )
    if (message.type !== 'open') throw new AppError('LINK_BAD', 'the client opened no session')
    return message
  }

  #openFlaw(): string | undefined {
    if (this.#isOpenBroken) return 'the host does not understand how the client opens its session'
    return this.#keptBytes > 0 ? 'the client sent bytes before it opened a session' : undefined
  }

  /** Gives the link, and all that came over it since, to `receiver`, which has just made itself its receiver. */
  handOver(receiver: LinkReceiver): void {
    if (this.#isPaused) this.#link?.resume()
    for (const data of this.#bytes) receiver.linkBytes(data)
    this.#bytes = []
    if (this.#end !== undefined) receiver.linkClosed(this.#end)
  }

  linkText(text: string): void {
    const message = parseControl(text)
    if (message === undefined) this.#isOpenBroken ||= isBrokenOpen(text)
    // More than a few are nobody's; what is not waited for is not kept.
    else if (this.#messages.length < 8) this.#messages.push(message)
    this.#wake()
  }

  linkBytes(data: Buffer): void {
    if (data.length === 0) return
    this.#bytes.push(data)
    this.#keptBytes += data.length
    this.#judgeKept()
    this.#wake()
  }

  linkDrained(): void {
    // Nobody sends yet.
  }

  linkClosed(end: LinkEnd): void {
    this.#end = end
    this.#wake()
  }

  #judgeKept(): void {
    if (this.#link === undefined || this.#isPaused || this.#keptBytes <= maxKeptBytes) return
    this.#isPaused = true
    this.#link.pause()
  }

  #next(
    isWanted: Wanted,
    withinMs: number,
    flawOf: () => string | undefined = () => undefined,
  ): Promise<ControlMessage> {
    const { clock, signal } = this.#deps
    return new Promise((resolve, reject) => {
      const finish = (act: () => void): void => {
        cancel()
        signal.removeEventListener('abort', giveUp)
        this.#wake = () => undefined
        act()
      }
      const fail = (code: string, why: string): void => finish(() => reject(new AppError(code, why)))
      const giveUp = (): void => fail('ABORTED', 'the link is not wanted any more')
      const cancel = clock.after(withinMs, () =>
        fail('LINK_MUTE', `on the link to the client nothing was said within ${withinMs / 1000} s`),
      )
      this.#wake = () => {
        const message = this.#messages.shift()
        if (message !== undefined && isWanted(message)) finish(() => resolve(message))
        else if (message !== undefined) this.#wake()
        else if (flawOf() !== undefined) fail('LINK_BAD', flawOf() ?? '')
        else if (this.#end !== undefined)
          fail('LINK_LOST', `the link to the client ended (code ${this.#end.code})`)
      }
      signal.addEventListener('abort', giveUp, { once: true })
      if (signal.aborted) giveUp()
      else this.#wake()
    })
  }
}
