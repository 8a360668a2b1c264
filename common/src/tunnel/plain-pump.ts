import type { Cancel, Clock } from '../clock.ts'
import type { AppError } from '../errors.ts'
import type { LocalEvents, LocalSide } from './local-side.ts'
import { brokenEnd, cleanEnd, judgeLinkEnd, type SessionEnd } from './session-end.ts'
import { deaf, type LinkEnd, type LinkReceiver, type TunnelLink } from './tunnel-link.ts'
import { closeCode, MAX_PLAIN_MESSAGE_BYTES } from './tunnel-protocol.ts'

export interface PlainPumpOptions {
  /**
   * What must come before anything is sent: `nothing`, or the other end's `first-message`, as an old relay reads no more
   * than one message before that (specification 8.2).
   */
  readonly sendAfter: 'nothing' | 'first-message'
  /** Without that message within this time the pump gives up; only with `first-message`. */
  readonly firstMessageWithinMs: number
}

export interface PlainPumpDeps {
  readonly clock: Pick<Clock, 'after'>
  readonly local: LocalSide
  /** Once. The link is closed, the local side ended or reset. */
  readonly onOver: (end: SessionEnd) => void
}

/** Above this nothing more is read from the side that sends. */
const fullBytes = 1_048_576
const drainedBytes = 262_144
/** After our end a local program has so long to end too. */
const localEndWithinMs = 10_000

/**
 * Joins a local connection and a link where the other end or the relay is an old program: bytes only, in as few messages
 * as possible, as old relays count messages (specification 8.2). No half-close, no resume.
 *
 * Invariants: nothing is dropped or reordered; at most 1 MiB (and one message or read) waits in each direction; the end
 * of the local side closes the link with 1000 after everything was sent; the end of the link ends the local side after
 * everything was written, however the link ended, as old programs often just cut.
 */
export class PlainPump implements LocalEvents, LinkReceiver {
  readonly #link: TunnelLink
  readonly #local: LocalSide
  readonly #clock: Pick<Clock, 'after'>
  readonly #onOver: (end: SessionEnd) => void
  #isGateOpen: boolean
  #cancelTimer: Cancel | undefined
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #sentBytes = 0
  #receivedBytes = 0
  #hasLocalEnded = false
  #hasTakenEnd = false
  #isReading = false
  #isLinkPaused = false
  #isClosing = false
  /** How it will have ended, once the local side has ended too. */
  #end: SessionEnd | undefined
  #isOver = false

  constructor(link: TunnelLink, options: PlainPumpOptions, { clock, local, onOver }: PlainPumpDeps) {
    this.#link = link
    this.#local = local
    this.#clock = clock
    this.#onOver = onOver
    this.#isGateOpen = options.sendAfter === 'nothing'
    if (this.#isGateOpen) return
    const withinMs = options.firstMessageWithinMs
    this.#cancelTimer = clock.after(withinMs, () =>
      this.#break(
        brokenEnd('time', 'HOST_SILENT', `the host sent nothing within ${withinMs / 1000} s; is it online?`),
      ),
    )
  }

  /** Takes over the link and begins to read. */
  start(): void {
    this.#link.receiver = this
    this.#flush()
  }

  get isOver(): boolean {
    return this.#isOver
  }

  get counts(): { readonly sentBytes: number; readonly receivedBytes: number } {
    return { sentBytes: this.#sentBytes, receivedBytes: this.#receivedBytes }
  }

  /** Breaks it at both sides. */
  abort(code: string, message: string): void {
    this.#break(brokenEnd('local', code, message))
  }

  // From the local side.

  localBytes(data: Buffer): void {
    // After the end of the link there is nobody who takes it.
    if (this.#end !== undefined || this.#isOver) return
    this.#waiting.push(data)
    this.#waitingBytes += data.length
    this.#flush()
  }

  localEnded(): void {
    this.#hasLocalEnded = true
    if (this.#end === undefined) this.#flush()
    else this.#judgeOver()
  }

  localTook(): void {
    if (!this.#isLinkPaused || this.#local.bufferedBytes > drainedBytes) return
    this.#isLinkPaused = false
    this.#link.resume()
  }

  localTookEnd(): void {
    this.#hasTakenEnd = true
    this.#judgeOver()
  }

  localBroke(error: AppError): void {
    if (this.#end === undefined) this.#break({ isClean: false, by: 'local', error })
    else this.#finish(this.#end)
  }

  // From the link.

  linkBytes(data: Buffer): void {
    if (this.#isOver) return
    if (!this.#isGateOpen) this.#openGate()
    this.#receivedBytes += data.length
    this.#local.write(data)
    if (!this.#isLinkPaused && this.#local.bufferedBytes > fullBytes) {
      this.#isLinkPaused = true
      this.#link.pause()
    }
  }

  linkText(): void {
    // Only a relay of ours sends text, and it says nothing to a plain pair that matters here.
  }

  linkDrained(): void {
    this.#flush()
  }

  linkClosed(end: LinkEnd): void {
    if (this.#isOver || this.#end !== undefined) return
    this.#end = this.#isClosing ? cleanEnd : endOf(end)
    this.#waiting = []
    this.#waitingBytes = 0
    this.#stopTimer()
    this.#cancelTimer = this.#clock.after(localEndWithinMs, () => {
      this.#local.reset()
      this.#finish(this.#end ?? cleanEnd)
    })
    // What it still sends is read and thrown away, so that its end is seen.
    this.#read(true)
    this.#local.end()
  }

  #openGate(): void {
    this.#isGateOpen = true
    this.#stopTimer()
    this.#flush()
  }

  /** Sends what waits, joined, whenever the message before has left. */
  #flush(): void {
    if (this.#isOver || this.#isClosing || this.#end !== undefined) return
    while (this.#isGateOpen && this.#waitingBytes > 0 && this.#link.isIdle) this.#sendOne()
    if (this.#hasLocalEnded && this.#waitingBytes === 0) {
      this.#isClosing = true
      this.#link.close(closeCode.ended, 'ended')
    } else {
      this.#read(!this.#hasLocalEnded && this.#waitingBytes <= fullBytes)
    }
  }

  #sendOne(): void {
    const message = this.#takeMessage()
    this.#sentBytes += message.length
    this.#link.sendBytes(message)
  }

  #takeMessage(): Buffer {
    const [first] = this.#waiting
    if (this.#waiting.length === 1 && first !== undefined && first.length <= MAX_PLAIN_MESSAGE_BYTES) {
      this.#waiting = []
      this.#waitingBytes = 0
      return first
    }
    const parts: Buffer[] = []
    let bytes = 0
    let used = 0
    for (const chunk of this.#waiting) {
      const room = MAX_PLAIN_MESSAGE_BYTES - bytes
      if (chunk.length > room) {
        if (room > 0) parts.push(chunk.subarray(0, room))
        this.#waiting[used] = chunk.subarray(room)
        bytes += room
        break
      }
      parts.push(chunk)
      bytes += chunk.length
      used += 1
    }
    this.#waiting.splice(0, used)
    this.#waitingBytes -= bytes
    const [only] = parts
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, bytes)
  }

  #read(isWanted: boolean): void {
    if (isWanted === this.#isReading) return
    this.#isReading = isWanted
    if (isWanted) this.#local.resume()
    else this.#local.pause()
  }

  #judgeOver(): void {
    if (this.#end !== undefined && this.#hasTakenEnd && this.#hasLocalEnded) this.#finish(this.#end)
  }

  #break(end: SessionEnd): void {
    if (this.#isOver) return
    this.#local.reset()
    this.#finish(end)
  }

  #finish(end: SessionEnd): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#stopTimer()
    this.#link.receiver = deaf
    this.#link.close(closeCode.ended, 'ended')
    this.#waiting = []
    this.#onOver(end)
  }

  #stopTimer(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }
}

/** An old host or relay that cuts may have ended in order: only what a relay of ours says is an error for sure. */
function endOf(end: LinkEnd): SessionEnd {
  const verdict = judgeLinkEnd(end)
  if (verdict.kind === 'lost') {
    return brokenEnd(
      'peer',
      'LINK_LOST',
      'the connection to the relay ended, and an old program at the other end or in between cannot go on',
    )
  }
  const isInOrder = verdict.kind === 'ended' || verdict.code === 'HOST_GONE'
  return isInOrder ? cleanEnd : brokenEnd('relay', verdict.code, verdict.message)
}
