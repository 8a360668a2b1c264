import type { Socket } from 'node:net'
import { encodeFrame, type Frame, FrameParser, OPCODE } from './frame-codec.ts'
import { Mailbox, within } from './mailbox.ts'
import type { Message } from './payload.ts'

/** How a connection ended. 1005: a close frame without a code; 1006: no close frame (RFC 6455 section 7.4.1). */
export interface CloseFact {
  readonly code: number
  readonly reason: string
  readonly atMs: number
}

export interface PingFact {
  readonly data: Buffer
  readonly atMs: number
}

export interface PeerOptions {
  /** Ours is the client's end: frames are masked. */
  readonly isClient: boolean
  readonly autoPong: boolean
  /** Bytes that came with the upgrade. */
  readonly head: Buffer
}

/** After both close frames a server closes the connection; one that does not is cut off after this long. */
const closeGraceMs = 3_000

/**
 * One end of a websocket, on a raw socket: it can say everything a correct peer must not, and shows every frame.
 * It judges the frames it receives: what RFC 6455 forbids is recorded in `violations`.
 */
export class WebsocketPeer {
  readonly openedAtMs = performance.now()
  readonly messages = new Mailbox<Message>()
  readonly pings = new Mailbox<PingFact>()
  readonly pongs = new Mailbox<Buffer>()
  /** What the other end did against the protocol. */
  readonly violations: string[] = []
  readonly #socket: Socket
  readonly #options: PeerOptions
  readonly #parser = new FrameParser()
  readonly #closed = Promise.withResolvers<CloseFact>()
  #pieces: Frame[] = []
  #closeFrame: { readonly code: number; readonly reason: string } | undefined
  #hasSentClose = false
  #isMuted = false
  #closeFact: CloseFact | undefined

  constructor(socket: Socket, options: PeerOptions) {
    this.#socket = socket
    this.#options = options
    socket.on('error', () => {})
    socket.on('data', (chunk) => this.#onBytes(chunk))
    socket.on('end', () => socket.end())
    socket.on('close', () => this.#onClosed())
    if (options.head.length > 0) this.#onBytes(options.head)
    socket.resume()
  }

  /** Undefined while the connection is open. */
  get closeFact(): CloseFact | undefined {
    return this.#closeFact
  }

  /** How it ended; undefined when it is still open after the time. */
  whenClosed(withinMs: number): Promise<CloseFact | undefined> {
    return within(this.#closed.promise, withinMs)
  }

  send(...messages: readonly Message[]): void {
    this.#write(messages.map(({ type, data }) => this.#frame(OPCODE[type], data)))
  }

  /** One message in several frames, with a ping after the first where asked for. */
  sendFragments(parts: readonly Message[], { pingBetween }: { readonly pingBetween: boolean }): void {
    const frames = parts.map(({ type, data }, index) =>
      encodeFrame({
        opcode: index === 0 ? OPCODE[type] : OPCODE.continuation,
        payload: data,
        isFinal: index === parts.length - 1,
        masked: this.#options.isClient,
      }),
    )
    if (pingBetween) frames.splice(1, 0, this.#frame(OPCODE.ping, Buffer.from('between')))
    this.#write(frames)
  }

  /** Bytes as they are. */
  sendRaw(bytes: Buffer): void {
    this.#write([bytes])
  }

  ping(data: Buffer): void {
    this.#write([this.#frame(OPCODE.ping, data)])
  }

  /** Starts the closing handshake; without a code the frame is empty. */
  close(code?: number, reason = ''): void {
    if (this.#hasSentClose) return
    this.#hasSentClose = true
    this.#write([this.#frame(OPCODE.close, encodeClose(code, reason))])
    if (this.#closeFrame === undefined) this.#cutOffLater()
    else this.#socket.end()
  }

  /** Ends the TCP connection without a word. */
  terminate(): void {
    this.#socket.destroy()
  }

  /** Takes nothing more from the network: what the other end sends fills its buffers. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Stops answering pings. */
  mute(): void {
    this.#isMuted = true
  }

  #frame(opcode: number, payload: Uint8Array): Buffer {
    return encodeFrame({ opcode, payload, masked: this.#options.isClient })
  }

  #write(frames: readonly Buffer[]): void {
    if (this.#socket.writable) this.#socket.write(Buffer.concat(frames))
  }

  #onBytes(chunk: Buffer): void {
    for (const frame of this.#parser.push(chunk)) this.#onFrame(frame)
  }

  #onFrame(frame: Frame): void {
    if (frame.reserved !== 0)
      this.violations.push(`reserved bits ${String(frame.reserved)} without an extension`)
    if (frame.masked === this.#options.isClient) this.violations.push('frame masked the wrong way')
    if (this.#closeFrame !== undefined) this.violations.push('frame after the close frame')
    switch (frame.opcode) {
      case OPCODE.continuation:
      case OPCODE.text:
      case OPCODE.binary:
        this.#onPiece(frame)
        break
      case OPCODE.close:
        this.#onClose(frame.payload)
        break
      case OPCODE.ping:
        this.pings.put({ data: frame.payload, atMs: performance.now() })
        if (this.#options.autoPong && !this.#isMuted) this.#write([this.#frame(OPCODE.pong, frame.payload)])
        break
      case OPCODE.pong:
        this.pongs.put(frame.payload)
        break
      default:
        this.violations.push(`opcode ${String(frame.opcode)}`)
    }
  }

  #onPiece(frame: Frame): void {
    const isFirst = this.#pieces.length === 0
    if (isFirst === (frame.opcode === OPCODE.continuation))
      this.violations.push('pieces of messages out of order')
    this.#pieces.push(frame)
    if (!frame.isFinal) return
    const type = this.#pieces[0]?.opcode === OPCODE.text ? 'text' : 'binary'
    const [only] = this.#pieces
    const isWhole = this.#pieces.length === 1 && only !== undefined
    const data = isWhole ? only.payload : Buffer.concat(this.#pieces.map(({ payload }) => payload))
    this.#pieces = []
    this.messages.put({ type, data })
  }

  #onClose(payload: Buffer): void {
    const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005
    this.#closeFrame ??= { code, reason: payload.subarray(2).toString() }
    if (this.#hasSentClose) {
      // RFC 6455 section 7.1.1: the server closes first. Our own end as a server closes at once.
      if (!this.#options.isClient) this.#socket.end()
      return
    }
    this.close(code === 1005 ? undefined : code)
  }

  #cutOffLater(): void {
    const timer = setTimeout(() => this.#socket.destroy(), closeGraceMs)
    this.#socket.once('close', () => clearTimeout(timer))
  }

  #onClosed(): void {
    const { code, reason } = this.#closeFrame ?? { code: 1006, reason: '' }
    this.#closeFact = { code, reason, atMs: performance.now() }
    this.#closed.resolve(this.#closeFact)
  }
}

function encodeClose(code: number | undefined, reason: string): Buffer {
  if (code === undefined) return Buffer.alloc(0)
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason))
  payload.writeUInt16BE(code, 0)
  payload.write(reason, 2)
  return payload
}
