import { AppError } from '../errors.ts'
import type { LocalEvents, LocalSide } from './local-side.ts'
import { deaf, type LinkEnd, type LinkReceiver, type TunnelLink } from './tunnel-link.ts'

/**
 * Both ends of a link in memory, for tests: messages arrive in order when `deliver` is called, and are lost when it is
 * cut. Says that it is full above `fullBytes`.
 */
export class FakeLink implements TunnelLink {
  readonly isTunnel: boolean
  receiver: LinkReceiver = deaf
  readonly whenGone: Promise<void>
  readonly sent: (Buffer | string)[] = []
  #gone: () => void = () => undefined
  readonly #fullBytes: number
  #peer: FakeLink | undefined
  #queue: (Buffer | string)[] = []
  #buffered = 0
  #isDrainOwed = false
  #closing: LinkEnd | undefined
  isPaused = false
  isClosed = false

  constructor(options: { readonly isTunnel?: boolean; readonly fullBytes?: number } = {}) {
    this.isTunnel = options.isTunnel ?? true
    this.#fullBytes = options.fullBytes ?? Infinity
    this.whenGone = new Promise((resolve) => {
      this.#gone = resolve
    })
  }

  static pair(options: { readonly fullBytes?: number } = {}): readonly [FakeLink, FakeLink] {
    const one = new FakeLink(options)
    const other = new FakeLink(options)
    one.#peer = other
    other.#peer = one
    return [one, other]
  }

  get bufferedBytes(): number {
    return this.#buffered
  }

  get isFull(): boolean {
    if (this.#buffered <= this.#fullBytes) return false
    this.#isDrainOwed = true
    return true
  }

  get isIdle(): boolean {
    if (this.#queue.length === 0) return true
    this.#isDrainOwed = true
    return false
  }

  /** How it was closed from this side. */
  get closedWith(): LinkEnd | undefined {
    return this.#closing
  }

  get queued(): number {
    return this.#queue.length
  }

  sendBytes(data: Buffer): void {
    this.#send(data)
  }

  sendText(text: string): void {
    this.#send(text)
  }

  #send(message: Buffer | string): void {
    if (this.isClosed || this.#closing !== undefined) return
    this.sent.push(message)
    this.#queue.push(message)
    this.#buffered += message.length
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  close(code: number, reason = ''): void {
    this.#closing ??= { code, reason }
  }

  terminate(): void {
    this.cut()
  }

  /** Hands the next message to the other side, or the close that follows the last; false where there is none. */
  deliver(): boolean {
    if (this.isClosed) return false
    const message = this.#queue.shift()
    if (message !== undefined) {
      this.#buffered -= message.length
      // A copy, as a network makes one: whoever changed it later would be found out.
      if (typeof message === 'string') this.#peer?.receiver.linkText(message)
      else this.#peer?.receiver.linkBytes(Buffer.from(message))
      if (this.#isDrainOwed && this.#buffered <= this.#fullBytes / 4) {
        this.#isDrainOwed = false
        this.receiver.linkDrained()
      }
      return true
    }
    if (this.#closing === undefined) return false
    this.endWith(this.#closing)
    this.#peer?.endWith(this.#closing)
    return true
  }

  /** Both sides lose it, with all that is under way. */
  cut(code = 1006): void {
    this.endWith({ code, reason: 'cut' })
    this.#peer?.endWith({ code, reason: 'cut' })
  }

  endWith(end: LinkEnd): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#queue = []
    this.#buffered = 0
    this.#gone()
    this.receiver.linkClosed(end)
  }
}

/** A local program in memory: it sends when told, as far as it is read, and takes when told. */
export class FakeLocal implements LocalSide {
  events: LocalEvents | undefined
  readonly taken: Buffer[] = []
  isPaused = true
  isReset = false
  hasTakenEnd = false
  mostBuffered = 0
  #queue: Buffer[] = []
  #buffered = 0
  #isEndQueued = false

  get bufferedBytes(): number {
    return this.#buffered
  }

  get isEnded(): boolean {
    return this.#isEndQueued
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  write(data: Buffer): void {
    if (this.#isEndQueued) throw new Error('written after the end')
    this.#queue.push(data)
    this.#buffered += data.length
    this.mostBuffered = Math.max(this.mostBuffered, this.#buffered)
  }

  end(): void {
    this.#isEndQueued = true
  }

  reset(): void {
    this.isReset = true
  }

  /** Takes the next chunk, or the end; false where there is nothing. */
  take(): boolean {
    if (this.isReset) return false
    const data = this.#queue.shift()
    if (data !== undefined) {
      this.#buffered -= data.length
      this.taken.push(data)
      this.events?.localTook(data.length)
      return true
    }
    if (!this.#isEndQueued || this.hasTakenEnd) return false
    this.hasTakenEnd = true
    this.events?.localTookEnd()
    return true
  }

  break(): void {
    this.isReset = true
    this.events?.localBroke(new AppError('LOCAL_BROKE', 'it broke'))
  }
}
